import { describe, expect, it } from 'vitest';
import type { RepositoryName } from '../../../converters/reference.ts';
import type { Credential } from '../../../src/upstream/auth/credential.ts';
import { readBounded } from '../../../src/upstream/body.ts';
import { createUpstreamClient, type UpstreamRequest } from '../../../src/upstream/client.ts';
import { testMemory } from '../../support/memory.ts';
import {
  answer,
  challenge,
  type LocalServer,
  startRegistry,
  startServer,
  startTokenServer,
} from './local-server.ts';

const none: Credential = { kind: 'none' };
const service: Credential = { kind: 'service', username: 'a', password: 'b' };
const client = (authorization: string): Credential => ({ kind: 'client', authorization });
const basic = 'Basic YTpi';

function clientOf(
  registry: LocalServer,
  changes: { allowAnonymousTokens?: boolean; clock?: () => number } = {},
) {
  return createUpstreamClient({
    baseUrl: registry.url,
    fetch: (url, init) => fetch(url, init),
    userAgent: 'regshift/test',
    clock: () => 0,
    wallClock: () => new Date(0),
    allowAnonymousTokens: true,
    background: () => undefined,
    memory: testMemory(),
    ...changes,
  });
}

function manifest(credential: Credential, repository = 'a/b'): UpstreamRequest {
  const path = `/v2/${repository}/manifests/latest`;
  return { method: 'GET', path, repository: repository as RepositoryName, credential };
}

const text = async (response: Response) => new TextDecoder().decode(await readBounded(response, 999, 'it'));
const realmOf = (tokens: LocalServer) => `Bearer realm="${tokens.url.href}token",service="s"`;
const scoped = '/token?service=s&scope=repository%3Aa%2Fb%3Apull';
const asked = 'GET /v2/a/b/manifests/latest';

/** A registry that wants tokens, and the server that has them. */
async function startPair() {
  const tokens = await startTokenServer();
  const registry = await startRegistry(tokens.given, () => realmOf(tokens));
  return { tokens, registry };
}

describe('without a credential', () => {
  it('gets a token, keeps it, and says that the answer is public', async () => {
    const { tokens, registry } = await startPair();
    const upstream = clientOf(registry);
    for (const _ of [1, 2]) {
      const { response, anonymous } = await upstream.request(manifest(none));
      expect([response.status, await text(response), anonymous]).toEqual([200, 'content', true]);
    }
    expect(tokens.log).toEqual([`GET ${scoped} -`]);
    expect(registry.log).toEqual([`${asked} -`, `${asked} Bearer token-1`, `${asked} Bearer token-1`]);
  });

  it('hands the challenge on where it may get no token', async () => {
    const { tokens, registry } = await startPair();
    const { response } = await clientOf(registry, { allowAnonymousTokens: false }).request(manifest(none));
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe(realmOf(tokens));
    expect(await text(response)).toContain('UNAUTHORIZED');
    expect(tokens.log).toEqual([]);
  });

  it.each([401, 403])('hands the challenge on when the token server answers %i', async (status) => {
    const tokens = await startServer((_, response) => answer(response, status));
    const registry = await startRegistry(
      () => 'never',
      () => realmOf(tokens),
    );
    const { response } = await clientOf(registry).request(manifest(none));
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe(realmOf(tokens));
    expect(await text(response)).toContain('UNAUTHORIZED');
    expect(registry.log).toHaveLength(1);
  });

  it('hands on a challenge that a token server stops to grant after a while', async () => {
    let now = 0;
    const tokens = await startServer((_, response) => {
      if (now === 0) answer(response, 200, '{"token":"token-1"}');
      else answer(response, 403);
    });
    const registry = await startRegistry(
      () => (now === 0 ? 'Bearer token-1' : 'never'),
      () => realmOf(tokens),
    );
    const upstream = clientOf(registry, { clock: () => now });
    expect((await upstream.request(manifest(none))).response.status).toBe(200);
    now = 60_000;
    expect((await upstream.request(manifest(none))).response.status).toBe(401);
    expect(registry.log.at(-1)).toBe(`${asked} -`);
    const before = tokens.log.length;
    await upstream.request(manifest(none));
    expect(tokens.log).toHaveLength(before + 1);
  });

  it('says so when the token server fails otherwise', async () => {
    const tokens = await startServer((_, response) => answer(response, 500));
    const registry = await startRegistry(
      () => 'never',
      () => realmOf(tokens),
    );
    await expect(clientOf(registry).request(manifest(none))).rejects.toMatchObject({
      code: 'UPSTREAM_ANSWER',
    });
  });

  it('sends no credential that the caller put among the headers', async () => {
    const registry = await startServer((_, response) => answer(response, 200));
    const headers = { Authorization: basic, Cookie: 'c=1', 'Proxy-Authorization': basic, Accept: 'a/b' };
    await clientOf(registry).request({ ...manifest(none), headers });
    const sent = registry.requests[0]?.headers ?? {};
    expect(sent).toMatchObject({ accept: 'a/b' });
    expect(Object.keys(sent)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/authorization|cookie/)]),
    );
  });

  it.each(['Basic realm="r"', 'Bearer service="s"', 'Negotiate', '', '"'])(
    'hands back a 401 with the challenge %j, which it cannot meet',
    async (offered) => {
      const registry = await startRegistry(
        () => 'never',
        () => offered,
      );
      expect((await clientOf(registry).request(manifest(none))).response.status).toBe(401);
      expect(registry.log).toHaveLength(1);
    },
  );
});

describe("with the client's credential", () => {
  it('passes it on as it is', async () => {
    const registry = await startRegistry(
      () => 'basic  YTpi',
      () => '',
    );
    const { response, anonymous } = await clientOf(registry).request(manifest(client('basic  YTpi')));
    expect([response.status, anonymous]).toEqual([200, false]);
  });

  it.each([
    ['Bearer alone', (bearer: string) => bearer],
    ['Basic then Bearer', (bearer: string) => `Basic realm="r", ${bearer}`],
    ['Bearer then Basic', (bearer: string) => `${bearer}, Basic realm="r"`],
  ])('gets a token with Basic when challenged with %s', async (_, offer) => {
    const tokens = await startTokenServer();
    const registry = await startRegistry(tokens.given, () => offer(realmOf(tokens)));
    const upstream = clientOf(registry);
    for (const _ of [1, 2]) {
      const { response, anonymous } = await upstream.request(manifest(client(basic)));
      expect([response.status, anonymous]).toEqual([200, false]);
    }
    expect(tokens.log).toEqual([`GET ${scoped} ${basic}`]);
    expect(registry.log).toEqual([`${asked} ${basic}`, `${asked} Bearer token-1`, `${asked} Bearer token-1`]);
  });

  it.each(['Bearer old', 'Token signature=abc', ''])(
    'hands the 401 to %j back untouched',
    async (authorization) => {
      const { tokens, registry } = await startPair();
      const { response, anonymous } = await clientOf(registry).request(manifest(client(authorization)));
      expect([response.status, anonymous]).toEqual([401, false]);
      expect(response.headers.get('www-authenticate')).toBe(realmOf(tokens));
      expect([tokens.log.length, registry.log.length]).toEqual([0, 1]);
    },
  );

  it('hands back the 401 of a registry that wants Basic and refuses this one', async () => {
    const registry = await startRegistry(
      () => 'Basic other',
      () => 'Basic realm="r"',
    );
    expect((await clientOf(registry).request(manifest(client(basic)))).response.status).toBe(401);
    expect(registry.log).toHaveLength(1);
  });

  it('takes the challenge that names a realm', async () => {
    const tokens = await startTokenServer();
    const registry = await startRegistry(tokens.given, () => `Bearer service="x", ${realmOf(tokens)}`);
    expect((await clientOf(registry).request(manifest(client(basic)))).response.status).toBe(200);
    expect(tokens.log).toEqual([`GET ${scoped} ${basic}`]);
  });

  it('names the token server that refuses the login', async () => {
    const tokens = await startServer((_, response) => answer(response, 401));
    const registry = await startRegistry(
      () => 'never',
      () => realmOf(tokens),
    );
    await expect(clientOf(registry).request(manifest(client(basic)))).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
      message: expect.stringContaining(tokens.host),
    });
  });

  it('shares no token with another credential, nor with none', async () => {
    const tokens = await startServer((request, response) => {
      answer(
        response,
        200,
        JSON.stringify({ token: `for-${request.headers.authorization?.slice(6) ?? 'none'}` }),
      );
    });
    const registry = await startServer((request, response) => {
      if (request.headers.authorization?.startsWith('Bearer')) answer(response, 200);
      else challenge(response, realmOf(tokens));
    });
    const upstream = clientOf(registry);
    for (const _ of [1, 2]) {
      for (const credential of [client('Basic AAAA'), client('Basic BBBB'), none]) {
        await upstream.request(manifest(credential));
      }
    }
    const plain = registry.log.filter((line) => !line.includes('Bearer'));
    expect(plain).toEqual([`${asked} Basic AAAA`, `${asked} Basic BBBB`, `${asked} -`]);
    expect(registry.log.filter((line) => line.includes('Bearer')).map((line) => line.split(' ')[3])).toEqual([
      'for-AAAA',
      'for-BBBB',
      'for-none',
      'for-AAAA',
      'for-BBBB',
      'for-none',
    ]);
  });
});

describe("with the proxy's own account", () => {
  it('sends Basic once challenged, then to every repository at once', async () => {
    const registry = await startRegistry(
      () => basic,
      () => 'Basic realm="r"',
    );
    const upstream = clientOf(registry);
    for (const repository of ['a/b', 'c/d']) {
      const { response, anonymous } = await upstream.request(manifest(service, repository));
      expect([response.status, anonymous]).toEqual([200, false]);
    }
    expect(registry.log).toEqual([
      `${asked} -`,
      `${asked} ${basic}`,
      `GET /v2/c/d/manifests/latest ${basic}`,
    ]);
  });

  it('sends it to nobody without its credential', async () => {
    const registry = await startRegistry(
      () => basic,
      () => 'Basic realm="r"',
    );
    const upstream = clientOf(registry);
    await upstream.request(manifest(service));
    expect((await upstream.request(manifest(none))).response.status).toBe(401);
  });

  it('does not repeat a Basic that is refused', async () => {
    const registry = await startRegistry(
      () => 'never',
      () => 'Basic realm="r"',
    );
    const upstream = clientOf(registry);
    expect((await upstream.request(manifest(service))).response.status).toBe(401);
    expect((await upstream.request(manifest(service))).response.status).toBe(401);
    expect(registry.log).toEqual([`${asked} -`, `${asked} ${basic}`, `${asked} ${basic}`]);
  });

  it.each(['', ', Basic realm="r"'])(
    'shows the password to the realm alone when challenged Bearer%s',
    async (more) => {
      const tokens = await startTokenServer();
      const registry = await startRegistry(tokens.given, () => realmOf(tokens) + more);
      expect((await clientOf(registry).request(manifest(service))).response.status).toBe(200);
      expect(tokens.log).toEqual([`GET ${scoped} ${basic}`]);
      expect(registry.log).toEqual([`${asked} -`, `${asked} Bearer token-1`]);
    },
  );
});

describe('tokens', () => {
  it('are shared by requests at the same time', async () => {
    const { tokens, registry } = await startPair();
    const upstream = clientOf(registry);
    const answers = await Promise.all(Array.from({ length: 20 }, () => upstream.request(manifest(none))));
    expect(new Set(answers.map(({ response }) => response.status))).toEqual(new Set([200]));
    expect(tokens.log).toHaveLength(1);
  });

  it('are renewed by the clock, without a 401', async () => {
    let now = 0;
    const { tokens, registry } = await startPair();
    const upstream = clientOf(registry, { clock: () => now });
    await upstream.request(manifest(none));
    now = 48_000;
    await upstream.request(manifest(none));
    expect(tokens.log).toHaveLength(2);
    expect(registry.log.slice(1)).toEqual([`${asked} Bearer token-1`, `${asked} Bearer token-2`]);
  });

  it('are asked for again when upstream stops accepting one', async () => {
    const tokens = await startTokenServer();
    let accepted = 'Bearer token-1';
    const registry = await startRegistry(
      () => accepted,
      () => realmOf(tokens),
    );
    const upstream = clientOf(registry);
    await upstream.request(manifest(none));
    accepted = 'Bearer token-2';
    expect((await upstream.request(manifest(none))).response.status).toBe(200);
    expect(registry.log.slice(2)).toEqual([`${asked} Bearer token-1`, `${asked} Bearer token-2`]);
  });

  it.each([
    ['bytes, which are sent again', () => new TextEncoder().encode('manifest'), 200, ['token-1', 'token-2']],
    ['a stream, which is sent once', () => new Response('manifest').body ?? undefined, 401, ['token-1']],
  ])('that upstream stops accepting before their time: a write of %s', async (_, body, status, sentWith) => {
    const tokens = await startTokenServer();
    let accepted = 'Bearer token-1';
    const registry = await startRegistry(
      () => accepted,
      () => realmOf(tokens),
    );
    const upstream = clientOf(registry);
    const write = () => upstream.request({ ...manifest(service), method: 'PUT', body: body() });
    expect((await write()).response.status).toBe(200);
    accepted = 'Bearer token-2';
    const before = registry.log.length;
    expect((await write()).response.status).toBe(status);
    const put = asked.replace('GET', 'PUT');
    expect(registry.log.slice(before)).toEqual(sentWith.map((token) => `${put} Bearer ${token}`));
    expect((await write()).response.status).toBe(200);
  });

  it('that are refused while new are not asked for twice', async () => {
    const tokens = await startTokenServer();
    const registry = await startRegistry(
      () => 'never',
      () => realmOf(tokens),
    );
    const upstream = clientOf(registry);
    for (const round of [1, 2, 3]) {
      expect((await upstream.request(manifest(none))).response.status).toBe(401);
      expect(tokens.log).toHaveLength(round);
    }
    expect(registry.log.map((line) => line.slice(asked.length))).toEqual([
      ' -',
      ' Bearer token-1',
      ' Bearer token-2',
      ' Bearer token-3',
    ]);
  });

  it('are asked for each repository', async () => {
    const { tokens, registry } = await startPair();
    const upstream = clientOf(registry);
    await upstream.request(manifest(none, 'a/b'));
    await upstream.request(manifest(none, 'c/d'));
    expect(tokens.log).toEqual([`GET ${scoped} -`, 'GET /token?service=s&scope=repository%3Ac%2Fd%3Apull -']);
    expect(registry.log[2]).toBe('GET /v2/c/d/manifests/latest -');
  });

  it.each([
    ['', '&scope=repository%3Aa%2Fb%3Apull'],
    ['repository:a/b:pull', '&scope=repository%3Aa%2Fb%3Apull'],
    [
      'repository:x:pull  repository:y:pull,push',
      '&scope=repository%3Aa%2Fb%3Apull&scope=repository%3Ax%3Apull&scope=repository%3Ay%3Apull%2Cpush',
    ],
  ])('have the scope of the repository, and of the challenge %j', async (scope, expected) => {
    const tokens = await startTokenServer();
    const registry = await startRegistry(tokens.given, () => `${realmOf(tokens)},scope="${scope}"`);
    await clientOf(registry).request(manifest(none));
    expect(tokens.log).toEqual([`GET /token?service=s${expected} -`]);
  });

  it('are not got for a ping without a login, which is where clients see the challenge', async () => {
    const { tokens, registry } = await startPair();
    const ping = { method: 'GET', path: '/v2/', credential: none } as const;
    const { response } = await clientOf(registry).request(ping);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('Bearer');
    expect(tokens.log).toEqual([]);
  });

  it('have no scope for the ping', async () => {
    const { tokens, registry } = await startPair();
    const { response } = await clientOf(registry).request({
      method: 'GET',
      path: '/v2/',
      credential: client(basic),
    });
    expect(response.status).toBe(200);
    expect(tokens.log).toEqual([`GET /token?service=s ${basic}`]);
  });
});
