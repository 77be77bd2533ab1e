import { describe, expect, it, onTestFinished } from 'vitest';
import { readSettings } from '../../../src/config/settings.ts';
import { serve } from '../../../src/runtime/node/serve.ts';
import { checkedSettings } from '../../support/checked-settings.ts';
import { answer, challenge, type Handler, startServer } from '../upstream/local-server.ts';

const alice = `Basic ${btoa('alice:secret')}`;

/** A registry, its token server and the proxy before them, over real sockets. */
async function startAll(tokenServer: Handler) {
  const tokens = await startServer(tokenServer);
  const registry = await startServer((request, response) => {
    if (request.headers.authorization === 'Bearer of-alice') answer(response, 200, '{}');
    else challenge(response, `Bearer realm="${tokens.url.href}auth?tenant=1",service="registry.test"`);
  });
  const read = readSettings({ PORT: '0', REGSHIFT_UPSTREAM: registry.url.href });
  const logged: string[] = [];
  const proxy = await serve(await checkedSettings(read), (...entry) => logged.push(JSON.stringify(entry)));
  onTestFinished(() => proxy.close());
  return { tokens, registry, logged, url: proxy.url };
}

const ofAlice: Handler = (request, response) => {
  if (request.headers.authorization !== alice) return answer(response, 401, '{"details":"secret words"}');
  return answer(
    response,
    200,
    JSON.stringify({ token: 'of-alice', expires_in: 300, issued_at: '2026-01-01T00:00:00Z' }),
  );
};

describe('the token relay', () => {
  it('serves a login as Docker does it', async () => {
    const { url, tokens, registry } = await startAll(ofAlice);
    const ping = await fetch(`${url}/v2/`);
    expect(ping.status).toBe(401);
    const realm = /^Bearer realm="([^"]+)",service="registry.test"$/.exec(
      ping.headers.get('www-authenticate') ?? '',
    );
    expect(realm?.[1]).toBe(`${url}/token`);
    const query = 'account=alice&client_id=docker&offline_token=true&service=registry.test';
    const token = await fetch(
      `${realm?.[1]}?${query}&scope=repository:a/b:pull&scope=repository:c:push,pull`,
      {
        headers: { authorization: alice },
      },
    );
    expect(token.status).toBe(200);
    expect(token.headers.get('cache-control')).toBe('no-store');
    expect(await token.json()).toEqual({
      token: 'of-alice',
      access_token: 'of-alice',
      expires_in: 300,
      issued_at: '2026-01-01T00:00:00.000Z',
    });
    const scopes = 'scope=repository%3Aa%2Fb%3Apull&scope=repository%3Ac%3Apush%2Cpull';
    const offline = 'offline_token=true&client_id=docker';
    expect(tokens.log).toEqual([`GET /auth?tenant=1&service=registry.test&${scopes}&${offline} ${alice}`]);
    const again = await fetch(`${url}/v2/`, { headers: { authorization: 'Bearer of-alice' } });
    expect([again.status, again.headers.get('docker-distribution-api-version')]).toEqual([
      200,
      'registry/2.0',
    ]);
    expect(registry.log.filter((line) => line.includes(alice))).toEqual([]);
  });

  it('reads the realm of upstream once, and calls the token server for every login', async () => {
    const { url, tokens, registry } = await startAll(ofAlice);
    const ask = () => fetch(`${url}/token?service=s`, { headers: { authorization: alice } });
    const answers = await Promise.all([ask(), ask(), ask()]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(registry.log).toEqual(['GET /v2/ -']);
    expect(tokens.log).toHaveLength(3);
  });

  it.each<[what: string, handler: Handler, status: number, code: string]>([
    ['refuses', (_, response) => answer(response, 401), 401, 'UNAUTHORIZED'],
    ['forbids', (_, response) => answer(response, 403), 401, 'UNAUTHORIZED'],
    ['limits', (_, response) => answer(response, 429, '', { 'retry-after': '7' }), 429, 'TOOMANYREQUESTS'],
    ['fails', (_, response) => answer(response, 500), 502, 'UNKNOWN'],
    [
      'redirects',
      (_, response) => answer(response, 302, '', { location: 'http://127.0.0.1:1/' }),
      502,
      'UNKNOWN',
    ],
    ['says nothing', (_, response) => answer(response, 200, '{}'), 502, 'UNKNOWN'],
    ['hangs up', (_, response) => response.destroy(), 502, 'UNKNOWN'],
  ])('tells in the words of the spec when the token server %s', async (_what, handler, status, code) => {
    const { url, logged } = await startAll(handler);
    const response = await fetch(`${url}/token?service=s`, { headers: { authorization: alice } });
    const body = await response.text();
    expect([response.status, JSON.parse(body).errors[0].code]).toEqual([status, code]);
    expect(response.headers.get('www-authenticate')).toBe(status === 401 ? 'Basic realm="regshift"' : null);
    expect(response.headers.get('retry-after')).toBe(status === 429 ? '7' : null);
    expect(response.headers.get('cache-control')).toBe('no-store');
    for (const secret of [alice.slice(6), 'secret']) {
      expect(body).not.toContain(secret);
      expect(logged.join()).not.toContain(secret);
    }
  });

  it('takes the login in the form of a POST, as containerd sends it first', async () => {
    const { url, tokens } = await startAll(ofAlice);
    const body = new URLSearchParams({ grant_type: 'password', username: 'alice', password: 'secret' });
    const response = await fetch(`${url}/token`, { method: 'POST', body });
    expect([response.status, await response.json()]).toMatchObject([200, { access_token: 'of-alice' }]);
    expect(tokens.log).toEqual([`GET /auth?tenant=1&service=registry.test ${alice}`]);
  });

  it.each([0.5, 30, 59, undefined])(
    'states a lifetime of at least a minute for a token: %s seconds',
    async (seconds) => {
      const { url } = await startAll((_, response) =>
        answer(response, 200, JSON.stringify({ access_token: 'x', expires_in: seconds })),
      );
      const before = Date.now();
      const fields = (await (await fetch(`${url}/token`)).json()) as {
        expires_in: number;
        issued_at: string;
      };
      expect(fields.expires_in).toBe(60);
      expect(Date.parse(fields.issued_at)).toBeGreaterThanOrEqual(before);
    },
  );

  it.each(['315360000', '2147483648', '1e20', '1e999'])(
    'states a lifetime that Docker reads: %s seconds',
    async (seconds) => {
      const { url } = await startAll((_, response) =>
        answer(response, 200, `{"access_token":"x","expires_in":${seconds}}`),
      );
      const fields = await (await fetch(`${url}/token`)).json();
      expect(fields).toMatchObject({ expires_in: Math.min(Number(seconds), 2_147_483_647) });
    },
  );
});
