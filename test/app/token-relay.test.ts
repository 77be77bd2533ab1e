import { describe, expect, it } from 'vitest';
import { testApp } from '../support/app.ts';
import { basicChallenge, type Script, scriptedUpstream, specError } from '../support/scripted-upstream.ts';

const alice = `Basic ${btoa('alice:secret')}`;
const realm = 'https://auth.test/token?tenant=1';
const named = `Bearer realm="${realm}",service="registry.test"`;
const latest = '/v2/sample/oci/manifests/latest';
const own = 'http://regshift.test/token';
const bytesOf = (text: string) => new TextEncoder().encode(text);

/** A registry that challenges every request without alice's token, and its token server, which accepts alice's login. */
function registry(challengeAt: (url: URL) => string = () => named): Script {
  return (request, url) => {
    const brought = request.headers.get('authorization');
    if (url.host === 'auth.test') {
      return brought === alice
        ? Response.json({ access_token: 'of-alice', expires_in: 300 })
        : specError(401, 'UNAUTHORIZED');
    }
    if (brought === 'Bearer of-alice') return url.pathname === '/v2/' ? Response.json({}) : undefined;
    return specError(401, 'UNAUTHORIZED', { 'WWW-Authenticate': challengeAt(url) });
  };
}

describe("upstream's challenge", () => {
  it.each(['/v2/', latest, '/v2/sample/oci/tags/list'])(
    'at %s names the proxy as its realm',
    async (path) => {
      const app = testApp({}, scriptedUpstream(registry()).fetch);
      for (const method of ['GET', 'HEAD']) {
        const response = await app.send(method, path);
        expect([response.status, response.header('WWW-Authenticate')]).toEqual([
          401,
          `Bearer realm="${own}",service="registry.test"`,
        ]);
        expect(response.header('Docker-Distribution-Api-Version')).toBe('registry/2.0');
      }
    },
  );

  it.each<[what: string, variables: Record<string, string>, ping: string, offered: string, given: string]>([
    [
      'keeps its other parameters',
      {},
      named,
      `${named},scope="repository:sample/oci:pull",error="invalid_token"`,
      `Bearer realm="${own}",service="registry.test",scope="repository:sample/oci:pull",error="invalid_token"`,
    ],
    [
      'keeps other schemes in the same header',
      {},
      named,
      `Basic realm="b\\"c", ${named}`,
      `Basic realm="b\\"c", Bearer realm="${own}",service="registry.test"`,
    ],
    ['stays unchanged when it is Basic', {}, named, basicChallenge, basicChallenge],
    [
      'stays unchanged when it names another server than the ping',
      {},
      named,
      'Bearer realm="https://other.test/token"',
      'Bearer realm="https://other.test/token"',
    ],
    ['stays unchanged when the ping names no token server', {}, basicChallenge, named, named],
    [
      'stays unchanged with REGSHIFT_TOKEN_RELAY=never',
      { REGSHIFT_TOKEN_RELAY: 'never' },
      named,
      named,
      named,
    ],
    [
      'names REGSHIFT_PUBLIC_URL as its realm',
      { REGSHIFT_PUBLIC_URL: 'https://images.test/below/' },
      named,
      named,
      'Bearer realm="https://images.test/below/token",service="registry.test"',
    ],
  ])('%s', async (_what, variables, ping, offered, given) => {
    const upstream = scriptedUpstream(registry((url) => (url.pathname === '/v2/' ? ping : offered)));
    const response = await testApp(variables, upstream.fetch).get(latest, { Authorization: 'Bearer stale' });
    expect([response.status, response.header('WWW-Authenticate')]).toEqual([401, given]);
  });

  it('costs one ping in ten minutes', async () => {
    const upstream = scriptedUpstream(registry());
    const app = testApp({}, upstream.fetch);
    const pings = () => upstream.asked.filter((each) => each === 'GET /v2/').length;
    const stale = { Authorization: 'Bearer stale' };
    for (const _ of [1, 2, 3]) await app.get(latest, stale);
    expect(pings()).toBe(1);
    app.advance(599);
    await app.get(latest, stale);
    expect(pings()).toBe(1);
    app.advance(1);
    await app.get(latest, stale);
    expect(pings()).toBe(2);
  });

  it.each<[what: string, before: Script]>([
    ['whose ping was a page of maintenance', () => new Response('<html>back soon', { status: 200 })],
    ['whose token server was another one', registry(() => 'Bearer realm="https://old.test/token"')],
  ])('names the proxy half a minute after a registry %s', async (_what, before) => {
    const upstream = scriptedUpstream(before);
    const app = testApp({}, upstream.fetch);
    await app.get('/token', { Authorization: alice });
    upstream.follow(registry());
    const challenge = async () =>
      (await app.get(latest, { Authorization: 'Bearer stale' })).header('WWW-Authenticate');
    app.advance(29);
    expect(await challenge()).toBe(named);
    app.advance(1);
    expect(await challenge()).toContain(own);
    expect((await app.get('/token', { Authorization: alice })).status).toBe(200);
  });

  it('is Basic when a token server refuses the login of the first request', async () => {
    const app = testApp({}, scriptedUpstream(registry()).fetch);
    const response = await app.get(latest, { Authorization: `Basic ${btoa('alice:wrong')}` });
    expect([response.status, response.header('WWW-Authenticate')]).toEqual([401, 'Basic realm="regshift"']);
  });

  it('ignores X-Forwarded-Host of a peer whose address the runtime does not know', async () => {
    const app = testApp({ REGSHIFT_TRUSTED_PROXIES: '0.0.0.0/0,::/0' }, scriptedUpstream(registry()).fetch);
    const response = await app.get('/v2/', { 'X-Forwarded-Host': 'evil.test' });
    expect(response.header('WWW-Authenticate')).toContain(own);
  });

  it('sends no client that may use TLS to an address without TLS, and the log warns', async () => {
    const app = testApp({}, scriptedUpstream(registry()).fetch);
    const response = await app.get('/v2/', { 'X-Forwarded-Proto': 'https' });
    expect(response.header('WWW-Authenticate')).toBe(named);
    expect(app.logged).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        facts: { remedy: expect.stringContaining('REGSHIFT_PUBLIC_URL') },
      }),
    );
    const configured = testApp(
      { REGSHIFT_PUBLIC_URL: 'https://images.test' },
      scriptedUpstream(registry()).fetch,
    );
    const relayed = await configured.get('/v2/', { 'X-Forwarded-Proto': 'https' });
    expect(relayed.header('WWW-Authenticate')).toContain('https://images.test/token');
  });
});

describe('GET /token', () => {
  const ask = (query: string, headers: Record<string, string> = { Authorization: alice }) => {
    const upstream = scriptedUpstream(registry());
    return { upstream, answered: testApp({}, upstream.fetch).get(`/token${query}`, headers) };
  };

  it('gets the realm from upstream, and a token from the realm', async () => {
    const { upstream, answered } = ask('?service=registry.test&scope=repository:sample/oci:pull');
    const response = await answered;
    expect(JSON.parse(response.text())).toEqual({
      token: 'of-alice',
      access_token: 'of-alice',
      expires_in: 300,
      issued_at: '2026-01-01T00:00:00.000Z',
    });
    expect(response.header('Cache-Control')).toBe('no-store');
    expect(response.header('Content-Type')).toBe('application/json');
    expect(upstream.asked).toEqual([
      'GET /v2/',
      `GET ${realm}&service=registry.test&scope=repository%3Asample%2Foci%3Apull`,
    ]);
    expect(upstream.carried).toEqual([null, alice]);
  });

  it.each([
    ['', '&service=registry.test'],
    ['?service=other', '&service=other'],
    ['?scope=a&scope=b&scope=', '&service=registry.test&scope=a&scope=b'],
    ['?scope=a%20b&account=alice&client_id=docker', '&service=registry.test&scope=a&scope=b'],
    ['?realm=https://evil.test/&tenant=2', '&service=registry.test'],
    [
      '?scope=a%26realm%3Dhttps://evil.test',
      '&service=registry.test&scope=a%26realm%3Dhttps%3A%2F%2Fevil.test',
    ],
  ])('sends service and scopes on, and nothing else: %s', async (query, expected) => {
    const { upstream, answered } = ask(query);
    expect((await answered).status).toBe(200);
    expect(upstream.asked.at(-1)).toBe(`GET ${realm}${expected}`);
  });

  it.each([
    ['without a login', {}],
    ['with a token, which is no login', { Authorization: 'Bearer of-alice' }],
  ])('asks %s as nobody, and says how to log in when that is refused', async (_what, headers) => {
    const { upstream, answered } = ask('?service=registry.test', headers);
    const response = await answered;
    expect(upstream.carried).toEqual([null, null]);
    expect([response.status, response.error().code]).toEqual([401, 'UNAUTHORIZED']);
    expect(response.header('WWW-Authenticate')).toBe('Basic realm="regshift"');
    expect(response.header('Cache-Control')).toBe('no-store');
  });

  it.each(['PUT', 'DELETE'])('does not accept %s', async (method) => {
    const upstream = scriptedUpstream(registry());
    const response = await testApp({}, upstream.fetch).send(method, '/token', { Authorization: alice });
    expect([response.status, response.header('Allow')]).toEqual([405, 'GET, HEAD, POST']);
    expect(response.error().code).toBe('UNSUPPORTED');
    expect(upstream.asked).toEqual([]);
  });

  it.each<[what: string, ping: Script | undefined, status: number]>([
    ['asks for no login', undefined, 404],
    [
      'asks for a password',
      () => specError(401, 'UNAUTHORIZED', { 'WWW-Authenticate': basicChallenge }),
      404,
    ],
    [
      'names no http URL',
      () => specError(401, 'UNAUTHORIZED', { 'WWW-Authenticate': 'Bearer realm="file:///x"' }),
      502,
    ],
    [
      'names a login in the URL',
      () => specError(401, 'UNAUTHORIZED', { 'WWW-Authenticate': 'Bearer realm="https://a:b@auth.test"' }),
      502,
    ],
    ['fails', () => specError(503, 'UNKNOWN'), 503],
    ['limits', () => specError(429, 'TOOMANYREQUESTS'), 429],
    ['is no registry', () => new Response('hello', { status: 404 }), 404],
  ])('sends no login anywhere when upstream %s', async (_what, ping, status) => {
    const upstream = scriptedUpstream(ping);
    const response = await testApp({}, upstream.fetch).get('/token?service=s', { Authorization: alice });
    expect(response.status).toBe(status);
    expect(upstream.asked).toEqual(['GET /v2/']);
    expect(upstream.carried).toEqual([null]);
  });

  it('sends no login unencrypted when upstream uses TLS', async () => {
    const upstream = scriptedUpstream(() =>
      specError(401, 'UNAUTHORIZED', { 'WWW-Authenticate': 'Bearer realm="http://auth.test/token"' }),
    );
    const app = testApp({ REGSHIFT_UPSTREAM: 'https://registry.test' }, upstream.fetch);
    expect((await app.get('/token', { Authorization: alice })).status).toBe(502);
    expect(upstream.carried).toEqual([null]);
  });

  it('sends a new request after upstream failed', async () => {
    const upstream = scriptedUpstream(() => specError(503, 'UNKNOWN'));
    const app = testApp({}, upstream.fetch);
    expect((await app.get('/token', { Authorization: alice })).status).toBe(503);
    upstream.follow(registry());
    expect((await app.get('/token', { Authorization: alice })).status).toBe(200);
  });

  it.each([{ REGSHIFT_TOKEN_RELAY: 'never' }, { REGSHIFT_UPSTREAM_AUTH: 'anonymous' }])(
    'is 404 with %j',
    async (variables) => {
      const upstream = scriptedUpstream(registry());
      const response = await testApp(variables, upstream.fetch).get('/token', { Authorization: alice });
      expect(response.status).toBe(404);
      expect(upstream.asked).toEqual([]);
    },
  );
});

describe('an identity token', () => {
  const formType = { 'Content-Type': 'application/x-www-form-urlencoded' };
  const forms: Record<string, string>[] = [];

  /** A token server that gives identity tokens to those who ask for one, and takes `R1` by POST. */
  const server: Script = async (request, url) => {
    if (url.host !== 'auth.test') return registry()(request, url);
    const wantsIdentity = url.searchParams.get('offline_token') === 'true';
    if (request.method === 'GET') {
      if (request.headers.get('authorization') !== alice) return specError(401, 'UNAUTHORIZED');
      return Response.json({ token: 'of-alice', ...(wantsIdentity ? { refresh_token: 'R1' } : {}) });
    }
    const form = Object.fromEntries(new URLSearchParams(await request.text()));
    forms.push(form);
    if (form.refresh_token === 'ended') return Response.json({ error: 'invalid_grant' }, { status: 400 });
    if (form.refresh_token !== 'R1') return specError(401, 'UNAUTHORIZED');
    return Response.json({ access_token: 'of-alice', refresh_token: 'R2' });
  };

  const app = () => testApp({ REGSHIFT_ALIASES: 'short=sample/oci' }, scriptedUpstream(server).fetch);
  const post = (fields: Record<string, string>) =>
    app().send('POST', '/token', formType, { body: bytesOf(new URLSearchParams(fields).toString()) });

  it('is given at a login that asks for one, and at no other', async () => {
    const query = '/token?account=alice&client_id=docker&service=registry.test';
    const offline = await app().get(`${query}&offline_token=true`, { Authorization: alice });
    expect(JSON.parse(offline.text())).toMatchObject({ token: 'of-alice', refresh_token: 'R1' });
    const usual = await app().get(query, { Authorization: alice });
    expect(Object.keys(JSON.parse(usual.text()))).not.toContain('refresh_token');
  });

  it('gets a token, for the names that upstream has, and its successor', async () => {
    forms.length = 0;
    const response = await post({
      ...{ grant_type: 'refresh_token', refresh_token: 'R1', client_id: 'containers/image' },
      ...{ service: 'registry.test', scope: 'repository:short:pull repository:short:push' },
    });
    expect([response.status, response.header('Cache-Control')]).toEqual([200, 'no-store']);
    expect(JSON.parse(response.text())).toMatchObject({ access_token: 'of-alice', refresh_token: 'R2' });
    expect(forms).toEqual([
      {
        ...{ grant_type: 'refresh_token', refresh_token: 'R1', client_id: 'containers/image' },
        ...{ service: 'registry.test', scope: 'repository:sample/oci:pull repository:sample/oci:push' },
      },
    ]);
  });

  it.each([
    ['the requested ones, where the server tells none', undefined, 'pull,push', 'repository:short:pull,push'],
    ['those that the server tells', 'repository:sample/oci:pull', 'pull,push', 'repository:short:pull'],
    [
      'those between commas',
      'repository:sample/oci:pull,push,repository:sample/oci:delete',
      '*',
      'repository:short:pull,push repository:short:delete',
    ],
    ['none', '', 'pull', ''],
    ['none of a repository that was not requested', 'repository:other:pull', 'pull', ''],
  ])('comes with the scopes of the token by the client’s names: %s', async (_, scope, actions, expected) => {
    const told: Script = (request, url) =>
      url.host === 'auth.test' && request.method === 'POST'
        ? Response.json({ access_token: 'of-alice', scope })
        : server(request, url);
    const proxy = testApp({ REGSHIFT_ALIASES: 'short=sample/oci' }, scriptedUpstream(told).fetch);
    const fields = { grant_type: 'refresh_token', refresh_token: 'R1', scope: `repository:short:${actions}` };
    const body = bytesOf(new URLSearchParams(fields).toString());
    const response = await proxy.send('POST', '/token', formType, { body });
    expect(JSON.parse(response.text())).toMatchObject({ access_token: 'of-alice', scope: expected });
  });

  it('for as many scopes as a form has room for holds no other request for long', async () => {
    const scope = Array.from({ length: 12_000 }, (_, index) => 1000 + index).join(' ');
    const started = performance.now();
    const response = await post({ grant_type: 'refresh_token', refresh_token: 'R1', scope });
    expect(JSON.parse(response.text())).toMatchObject({ scope });
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it.each(['R0', 'ended'])('that the token server refuses leads to a new login: %s', async (token) => {
    const response = await post({ grant_type: 'refresh_token', refresh_token: token });
    expect([response.status, response.error()]).toEqual([
      401,
      {
        code: 'UNAUTHORIZED',
        message: 'The token server of the registry refused the identity token: log in again (docker login).',
      },
    ]);
    expect(response.header('WWW-Authenticate')).toBe('Basic realm="regshift"');
  });

  it.each([
    ['online', {}, false],
    ['offline', { access_type: 'offline' }, true],
  ])('is not needed for a login in a form (%s)', async (_, more, isGiven) => {
    const fields = { grant_type: 'password', username: 'alice', password: 'secret', client_id: 'containerd' };
    const answer = JSON.parse((await post({ ...fields, ...more })).text());
    expect([answer.access_token, 'refresh_token' in answer]).toEqual(['of-alice', isGiven]);
    expect((await post({ ...fields, password: 'wrong' })).status).toBe(401);
  });

  it.each([
    ['another grant', 'grant_type=client_credentials', 405],
    ['no form', '', 405],
    ['a form without end', `grant_type=password&scope=${'x'.repeat(65_536)}`, 400],
  ])('is not to be had for %s', async (_, body, status) => {
    const response = await app().send('POST', '/token', formType, { body: bytesOf(body) });
    expect([response.status, response.error().code]).toEqual([status, 'UNSUPPORTED']);
  });
});
