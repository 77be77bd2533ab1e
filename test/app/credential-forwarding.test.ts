import { describe, expect, it } from 'vitest';
import { testApp } from '../support/app.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import {
  basicChallenge,
  privateTo,
  type Script,
  scriptedUpstream,
  specError,
} from '../support/scripted-upstream.ts';

const docker19 = manifestRequestHeaders['Docker 1.9.1'];
const latest = '/v2/sample/oci/manifests/latest';
const alice = 'Basic YWxpY2U6c2VjcmV0';
const as = (authorization: string) => [...docker19, ['Authorization', authorization]] as const;

describe("a client's Authorization", () => {
  it('is sent with every request to upstream in passthrough mode', async () => {
    const upstream = scriptedUpstream(privateTo(alice));
    const app = testApp({ REGSHIFT_UPSTREAM_AUTH: 'passthrough' }, upstream.fetch);
    expect((await app.get(latest, as(alice))).status).toBe(200);
    expect(upstream.asked.length).toBeGreaterThanOrEqual(3);
    expect(new Set(upstream.carried)).toEqual(new Set([alice]));
  });

  it('is sent with pings, tags and blobs too', async () => {
    const upstream = scriptedUpstream();
    const app = testApp({}, upstream.fetch);
    const { config } = JSON.parse((await app.get(latest, { Accept: '*/*' })).text()) as {
      config: { digest: string };
    };
    upstream.forget();
    const paths = ['/v2/', '/v2/sample/oci/tags/list', `/v2/sample/oci/blobs/${config.digest}`];
    for (const path of paths) await app.get(path, { Authorization: alice });
    expect(upstream.asked).toEqual(paths.map((path) => `GET ${path}`));
    expect(upstream.carried).toEqual([alice, alice, alice]);
  });

  it('is not sent in anonymous mode', async () => {
    const upstream = scriptedUpstream();
    const app = testApp({ REGSHIFT_UPSTREAM_AUTH: 'anonymous' }, upstream.fetch);
    for (const path of ['/v2/', latest, '/v2/sample/oci/tags/list']) await app.get(path, as(alice));
    expect(upstream.asked.length).toBeGreaterThan(3);
    expect(new Set(upstream.carried)).toEqual(new Set([null]));
  });

  it('is in no log', async () => {
    const app = testApp({}, scriptedUpstream(privateTo('Basic other')).fetch);
    await app.get(latest, as(alice));
    expect(app.logged.length).toBeGreaterThan(0);
    expect(JSON.stringify(app.logged)).not.toContain('YWxpY2U6c2VjcmV0');
  });
});

describe('a redirect', () => {
  const blob = `/v2/sample/oci/blobs/sha256:${'1'.repeat(64)}`;
  const leadingTo =
    (location: string): Script =>
    (request, url) => {
      if (url.pathname === blob) return new Response(null, { status: 307, headers: { Location: location } });
      return new Response(request.headers.get('authorization') ?? 'nobody');
    };

  it('to another origin does not carry the Authorization', async () => {
    const upstream = scriptedUpstream(leadingTo('https://storage.test/data?signature=1'));
    const response = await testApp({}, upstream.fetch).get(blob, { Authorization: alice });
    expect(response.text()).toBe('nobody');
    expect(upstream.asked).toEqual([`GET ${blob}`, 'GET https://storage.test/data?signature=1']);
    expect(upstream.carried).toEqual([alice, null]);
  });

  it.each(['http://registry.test:8080/data', 'https://registry.test/data'])(
    'to %s is one to another origin',
    async (location) => {
      const upstream = scriptedUpstream(leadingTo(location));
      await testApp({}, upstream.fetch).get(blob, { Authorization: alice });
      expect(upstream.carried).toEqual([alice, null]);
    },
  );

  it('within the registry carries the Authorization', async () => {
    const upstream = scriptedUpstream(leadingTo('/data'));
    await testApp({}, upstream.fetch).get(blob, { Authorization: alice });
    expect(upstream.carried).toEqual([alice, alice]);
  });

  it('of a manifest to another origin does not carry it either', async () => {
    const upstream = scriptedUpstream((_request, url) =>
      url.host === 'registry.test'
        ? new Response(null, { status: 302, headers: { Location: `https://other.test${url.pathname}` } })
        : specError(404, 'MANIFEST_UNKNOWN'),
    );
    await testApp({}, upstream.fetch).get(latest, as(alice));
    // By HEAD, whose refusal an upstream without a good HEAD has to confirm by GET.
    expect(upstream.carried).toEqual([alice, null, alice, null]);
  });
});

describe('a token server', () => {
  const challenge = 'Bearer realm="https://auth.test/token",service="registry.test"';

  /** The registry accepts the token of this server; `judge` decides which clients get it. */
  function tokenServer(judge: (authorization: string | null) => string | undefined): Script {
    return (request, url) => {
      const authorization = request.headers.get('authorization');
      if (url.host === 'auth.test') {
        const token = judge(authorization);
        return token ? Response.json({ token, expires_in: 300 }) : specError(401, 'UNAUTHORIZED');
      }
      if (authorization?.startsWith('Bearer token-of-')) return undefined;
      return specError(401, 'UNAUTHORIZED', { 'WWW-Authenticate': challenge });
    };
  }

  const tokenRequests = (asked: readonly string[]) => asked.filter((each) => each.includes('auth.test'));
  const scope = 'scope=repository%3Asample%2Foci%3Apull';

  it.each(['passthrough', 'anonymous'])('gets a request for a client without a login (%s)', async (mode) => {
    const upstream = scriptedUpstream(tokenServer((who) => (who ? undefined : 'token-of-nobody')));
    const app = testApp({ REGSHIFT_UPSTREAM_AUTH: mode }, upstream.fetch);
    expect((await app.get(latest, docker19)).status).toBe(200);
    expect(tokenRequests(upstream.asked)).toEqual([
      `GET https://auth.test/token?service=registry.test&${scope}`,
    ]);
    const sent = upstream.carried.filter((_, index) => !upstream.asked[index]?.includes('auth.test'));
    expect(sent).toEqual([null, ...sent.slice(1).map(() => 'Bearer token-of-nobody')]);
  });

  it('receives the login of the client, and the registry receives the token', async () => {
    const upstream = scriptedUpstream(tokenServer((who) => (who === alice ? 'token-of-alice' : undefined)));
    const app = testApp({}, upstream.fetch);
    expect((await app.get(latest, as(alice))).status).toBe(200);
    expect(tokenRequests(upstream.asked)).toHaveLength(1);
    expect(upstream.carried[upstream.asked.findIndex((each) => each.includes('auth.test'))]).toBe(alice);
    expect(upstream.carried.at(-1)).toBe('Bearer token-of-alice');
  });

  it('gets no second request while a token is valid', async () => {
    const upstream = scriptedUpstream(tokenServer(() => 'token-of-nobody'));
    const app = testApp({ REGSHIFT_TAG_TTL: '0' }, upstream.fetch);
    for (let times = 0; times < 3; times += 1) await app.get(latest, docker19);
    expect(tokenRequests(upstream.asked)).toHaveLength(1);
    app.advance(300);
    await app.get(latest, docker19);
    expect(tokenRequests(upstream.asked)).toHaveLength(2);
  });

  it.each<[what: string, old: Script]>([
    [
      'has no host any more',
      () => Promise.reject(new TypeError('fetch failed', { cause: { code: 'ENOTFOUND' } })),
    ],
    ['is another web site now', () => new Response('<html>', { status: 404 })],
    ['refuses each login', () => specError(401, 'UNAUTHORIZED')],
  ])('that has moved is found by the next challenge, where the old one %s', async (_what, old) => {
    const { app, upstream } = await movedFrom(old);
    expect((await app.get(latest, as(alice))).status).toBe(200);
    upstream.forget();
    app.advance(300);
    expect((await app.get(latest, as(alice))).status).toBe(200);
    expect(upstream.asked.filter((each) => each.includes('old.test'))).toEqual([]);
  });

  it('that has moved is found by the request after one that waited for the old one in vain', async () => {
    const { app } = await movedFrom(() => new Promise(() => undefined));
    expect((await app.get(latest, as(alice))).status).toBe(504);
    expect((await app.get(latest, as(alice))).status).toBe(200);
  });

  it.each([
    ["the client's login", {}],
    [
      "the proxy's account",
      {
        REGSHIFT_UPSTREAM_AUTH: 'basic',
        REGSHIFT_UPSTREAM_USERNAME: 'alice',
        REGSHIFT_UPSTREAM_PASSWORD: 'secret',
        REGSHIFT_CLIENT_AUTH: 'none',
        REGSHIFT_PUSH: 'allow',
      },
    ],
  ])('that the registry gives up for Basic gets no more requests with %s', async (_what, variables) => {
    const tokens = tokenServer((who) => (who === alice ? 'token-of-alice' : undefined));
    const upstream = scriptedUpstream(tokens);
    const app = testApp({ ...variables, REGSHIFT_TAG_TTL: '0' }, upstream.fetch);
    const upload = '/v2/sample/oci/blobs/uploads/';
    const push = () =>
      app.send('POST', `${upload}?digest=sha256:${'0'.repeat(64)}`, as(alice), { body: new Uint8Array(9) });
    expect((await app.get(latest, as(alice))).status).toBe(200);
    await push();
    upstream.follow((request, url) => {
      if (url.host === 'auth.test') return tokens(request, url);
      const { headers, method } = request;
      if (headers.get('authorization') !== alice)
        return specError(401, 'UNAUTHORIZED', { 'WWW-Authenticate': basicChallenge });
      return method === 'POST'
        ? new Response(null, { status: 202, headers: { Location: `${upload}1` } })
        : undefined;
    });
    expect((await app.get(latest, as(alice))).status).toBe(200);
    await push();
    expect((await push()).status).toBe(202);
    upstream.forget();
    app.advance(300);
    expect((await app.get(latest, as(alice))).status).toBe(200);
    expect(new Set(upstream.carried)).toEqual(new Set([alice]));
  });

  /** The app after its tokens of a token server have ended, which `old` stands in for. */
  async function movedFrom(old: Script) {
    const now = tokenServer((who) => (who === alice ? 'token-of-alice' : undefined));
    const before: Script = async (request, url) => {
      if (url.host === 'old.test') return Response.json({ token: 'token-of-alice', expires_in: 60 });
      const response = await now(request, url);
      response?.headers.set('www-authenticate', 'Bearer realm="https://old.test/token"');
      return response;
    };
    const upstream = scriptedUpstream(before);
    const app = testApp({ REGSHIFT_UPSTREAM_TIMEOUT: '1' }, upstream.fetch);
    expect((await app.get(latest, as(alice))).status).toBe(200);
    upstream.follow((request, url) => (url.host === 'old.test' ? old(request, url) : now(request, url)));
    app.advance(300);
    return { app, upstream };
  }

  it.each([
    ['always', 'Bearer realm="http://regshift.test/token",service="registry.test"'],
    ['never', challenge],
  ])(
    'that refuses leaves the challenge to the client (REGSHIFT_TOKEN_RELAY=%s)',
    async (relay, challenge) => {
      const upstream = scriptedUpstream(tokenServer(() => undefined));
      const app = testApp({ REGSHIFT_TOKEN_RELAY: relay }, upstream.fetch);
      for (const path of [latest, '/v2/']) {
        const response = await app.get(path, docker19);
        expect([response.status, response.error().code]).toEqual([401, 'UNAUTHORIZED']);
        expect(response.header('WWW-Authenticate')).toBe(challenge);
      }
    },
  );

  it('that refuses causes no challenge to clients in anonymous mode: their login is not for upstream', async () => {
    const upstream = scriptedUpstream(tokenServer(() => undefined));
    const app = testApp({ REGSHIFT_UPSTREAM_AUTH: 'anonymous' }, upstream.fetch);
    const response = await app.get(latest, docker19);
    expect([response.status, response.error().code]).toEqual([403, 'DENIED']);
    expect(response.header('WWW-Authenticate')).toBeNull();
  });

  it('that refuses a login causes an error without the login in its message', async () => {
    const upstream = scriptedUpstream(tokenServer(() => undefined));
    const response = await testApp({}, upstream.fetch).get(latest, as(alice));
    expect([response.status, response.error().code]).toEqual([401, 'UNAUTHORIZED']);
    expect(response.error().message).toContain('auth.test refused the login');
    expect(response.text()).not.toContain('YWxpY2U6c2VjcmV0');
  });

  it('issues a token for one client alone', async () => {
    const upstream = scriptedUpstream(tokenServer((who) => (who === alice ? 'token-of-alice' : undefined)));
    const app = testApp({}, upstream.fetch);
    expect((await app.get(latest, as(alice))).status).toBe(200);
    expect((await app.get(latest, as('Basic Ym9iOmJvYg=='))).status).toBe(401);
    expect((await app.get(latest, docker19)).status).toBe(401);
  });
});
