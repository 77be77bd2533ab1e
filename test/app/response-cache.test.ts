import { describe, expect, it } from 'vitest';
import { type Answer, type RequestHeaders, type TestApp, testApp } from '../support/app.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { privateTo, scriptedUpstream, specError } from '../support/scripted-upstream.ts';

const docker113 = manifestRequestHeaders['Docker 1.13.1'];
const latest = '/v2/sample/oci/manifests/latest';
const alice = ['Authorization', 'Basic YWxpY2U6c2VjcmV0'] as const;
const bob = ['Authorization', 'Basic Ym9iOnNlY3JldA=='] as const;
const seconds = 30;

/** The number of responses from the response cache without a request to upstream, by the access log. */
function cachedOf(app: TestApp): number {
  return app.logged.filter(({ facts }) => facts?.cache === 'held' && facts.upstreamRequests === 0).length;
}

/** The number of responses from the response cache after one request to upstream, which checks the access right. */
function revalidatedOf(app: TestApp): number {
  return app.logged.filter(({ facts }) => facts?.cache === 'held' && facts.upstreamRequests === 1).length;
}

const all = ({ status, headers, body }: Answer) => [status, [...headers], [...body]];

describe('the response to a repeated request', () => {
  it.each(['GET', 'HEAD'])('is the same response, from the response cache: %s', async (method) => {
    const app = testApp();
    const first = await app.send(method, latest, docker113);
    expect(cachedOf(app)).toBe(0);
    expect(all(await app.send(method, latest, docker113))).toEqual(all(first));
    expect(cachedOf(app)).toBe(1);
  });

  it.each([0, 8_000])('is stored only within REGSHIFT_CACHE_BYTES: %s', async (bytes) => {
    const app = testApp({ REGSHIFT_CACHE_BYTES: String(bytes) });
    for (const path of [latest, latest.replace('latest', '1.0'), latest]) await app.get(path, docker113);
    expect(cachedOf(app)).toBe(0);
  });

  it('is logged like the first response', async () => {
    const app = testApp();
    for (const _ of [1, 2]) await app.get(latest, docker113);
    const [first, second] = app.logged.filter(({ message }) => message === 'request');
    // The fields that differ: request id, cost and size.
    const own = { id: '', cache: '', upstreamRequests: 0, upstreamMilliseconds: 0, bytes: 0 };
    expect({ ...second?.facts, ...own }).toEqual({ ...first?.facts, ...own });
    expect(second?.facts).toMatchObject({ cache: 'held', upstreamRequests: 0 });
    expect(second?.facts?.id).not.toBe(first?.facts?.id);
  });

  it.each<[string, RequestHeaders, string]>([
    ['another client', manifestRequestHeaders['Docker 1.9.1'], latest],
    ['another tag', docker113, latest.replace('latest', '1.0')],
    ['another login', [...docker113, alice], latest],
  ])('does not come from the cache for %s', async (_, headers, path) => {
    const app = testApp();
    await app.get(latest, docker113);
    await app.get(path, headers);
    expect(cachedOf(app)).toBe(0);
  });

  it('is revalidated once the access grant is as old as the TTL', async () => {
    const app = testApp({ REGSHIFT_TAG_TTL: String(seconds) }, scriptedUpstream().fetch);
    await app.get(latest, docker113);
    app.advance(seconds - 1);
    await app.get(latest, docker113);
    expect(cachedOf(app)).toBe(1);
    app.advance(1);
    await app.get(latest, docker113);
    expect([cachedOf(app), revalidatedOf(app)]).toEqual([1, 1]);
    await app.get(latest, docker113);
    expect([cachedOf(app), revalidatedOf(app)]).toEqual([2, 1]);
  });

  it('is revalidated each time with REGSHIFT_TAG_TTL=0', async () => {
    const app = testApp({ REGSHIFT_TAG_TTL: '0' });
    for (const _ of [1, 2, 3]) await app.get(latest, docker113);
    expect([cachedOf(app), revalidatedOf(app)]).toEqual([0, 2]);
  });

  it('is revalidated after a push', async () => {
    const upstream = scriptedUpstream(({ method }) =>
      method === 'PUT' ? new Response(null, { status: 201 }) : undefined,
    );
    const app = testApp({}, upstream.fetch);
    for (const _ of [1, 2]) await app.get(latest, docker113);
    expect(cachedOf(app)).toBe(1);
    const type = { 'Content-Type': 'application/vnd.oci.image.manifest.v1+json' };
    expect((await app.send('PUT', latest, type)).status).toBe(201);
    await app.get(latest, docker113);
    expect([cachedOf(app), revalidatedOf(app)]).toEqual([1, 1]);
  });

  it('goes to the login that may read a private image, and to no other login', async () => {
    const app = testApp({}, scriptedUpstream(privateTo(alice[1])).fetch);
    for (const _ of [1, 2]) expect((await app.get(latest, [...docker113, alice])).status).toBe(200);
    expect(cachedOf(app)).toBe(1);
    for (const login of [[bob], []]) {
      expect((await app.get(latest, [...docker113, ...login])).status).toBe(401);
    }
  });

  it("is revalidated with the request's own login", async () => {
    const upstream = scriptedUpstream(privateTo(alice[1], bob[1]));
    const app = testApp({ REGSHIFT_TAG_TTL: '0' }, upstream.fetch);
    for (const login of [alice, bob]) await app.get(latest, [...docker113, login]);
    for (const login of [bob, alice]) {
      upstream.forget();
      expect((await app.get(latest, [...docker113, login])).status).toBe(200);
      expect(upstream.carried).toEqual([login[1]]);
    }
    expect(revalidatedOf(app)).toBe(2);
  });

  it("is revalidated with the proxy's own account, and never with a client's login", async () => {
    const account = `Basic ${btoa('proxy:own')}`;
    const upstream = scriptedUpstream(privateTo(account));
    const settings = {
      REGSHIFT_UPSTREAM_AUTH: 'basic',
      REGSHIFT_UPSTREAM_USERNAME: 'proxy',
      REGSHIFT_UPSTREAM_PASSWORD: 'own',
      REGSHIFT_CLIENT_AUTH: 'none',
      REGSHIFT_TAG_TTL: '0',
    };
    const app = testApp(settings, upstream.fetch);
    await app.get(latest, [...docker113, alice]);
    upstream.forget();
    expect((await app.get(latest, [...docker113, alice])).status).toBe(200);
    expect(upstream.carried).toEqual([account]);
    expect(revalidatedOf(app)).toBe(1);
  });

  it('is not stored while upstream fails', async () => {
    const upstream = scriptedUpstream();
    const app = testApp({}, upstream.fetch);
    await app.get(latest, docker113);
    upstream.follow(() => specError(503, 'UNKNOWN'));
    app.advance(seconds + 10);
    for (const _ of [1, 2, 3]) expect((await app.get(latest, docker113)).header('Age')).toBe('40');
    expect(cachedOf(app)).toBe(0);
  });

  it('is not stored when the proxy authenticates its clients itself: their rights may have changed', async () => {
    const variables = {
      REGSHIFT_UPSTREAM_AUTH: 'anonymous',
      REGSHIFT_CLIENT_AUTH: 'basic',
      // alice:secret
      REGSHIFT_HTPASSWD: 'alice:$2y$04$rAP27xZFf66nZ7qsxBNBNeY7LyDBWhMc1PbydfHbXcwGWGnoRZZpq',
    };
    const app = testApp(variables, scriptedUpstream().fetch);
    for (const _ of [1, 2, 3]) expect((await app.get(latest, [...docker113, alice])).status).toBe(200);
    expect(cachedOf(app)).toBe(0);
  });

  it('is 304 with If-None-Match', async () => {
    const app = testApp();
    const digest = (await app.get(latest, docker113)).header('Docker-Content-Digest');
    const response = await app.get(latest, [...docker113, ['If-None-Match', `"${digest}"`]]);
    expect(response.status).toBe(304);
  });
});
