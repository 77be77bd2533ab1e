import { describe, expect, it } from 'vitest';
import { type Metrics, noMetrics } from '../../src/observability/metrics.ts';
import { testApp } from '../support/app.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { privateTo, type Script, scriptedUpstream, specError } from '../support/scripted-upstream.ts';

const docker19 = manifestRequestHeaders['Docker 1.9.1'];
const latest = '/v2/sample/oci/manifests/latest';
const alice = ['Authorization', 'Basic YWxpY2U6c2VjcmV0'] as const;

it('a write whose response is lost ends what is fresh', async () => {
  const upstream = scriptedUpstream(({ method }) => {
    if (method === 'DELETE') throw new TypeError('fetch failed');
    return undefined;
  });
  const app = testApp({}, upstream.fetch);
  await app.get(latest, docker19);
  upstream.forget();
  await app.get(latest, docker19);
  expect(upstream.asked).toEqual([]);
  await app.send('DELETE', latest);
  upstream.forget();
  expect((await app.get(latest, docker19)).status).toBe(200);
  expect(upstream.asked).toEqual([`HEAD ${latest}`]);
});

it('a ping that began earlier and ends later is not what stands in', async () => {
  const [began, refusal] = [Promise.withResolvers<void>(), Promise.withResolvers<Response>()];
  const upstream = scriptedUpstream(() => {
    began.resolve();
    return refusal.promise;
  });
  const app = testApp({ REGSHIFT_STALE: '600' }, upstream.fetch);
  const earlier = app.get('/v2/');
  await began.promise;
  app.advance(1);
  upstream.follow();
  expect((await app.get('/v2/')).status).toBe(200);
  refusal.resolve(specError(401, 'UNAUTHORIZED', { 'WWW-Authenticate': `Basic realm="registry"` }));
  expect((await earlier).status).toBe(401);
  upstream.follow(() => specError(503, 'UNKNOWN'));
  expect((await app.get('/v2/')).status).toBe(200);
});

describe('while upstream fails', () => {
  const failures: readonly [string, Script][] = [
    ['responds 500', () => specError(500, 'UNKNOWN')],
    ['responds 503', () => specError(503, 'UNKNOWN')],
    ['sends a page with 200', () => new Response('<html>', { headers: { 'Content-Type': 'text/html' } })],
    ['sends the words of a gateway with 200', () => Response.json({ status: 'maintenance' })],
    ['sends nothing with 200', () => new Response(null)],
    ['responds 429', () => specError(429, 'TOOMANYREQUESTS', { 'Retry-After': '9' })],
    [
      'is unreachable',
      () => {
        throw new TypeError('fetch failed');
      },
    ],
  ];

  it.each(failures)('(upstream %s), a public response is served with its age', async (_name, script) => {
    const upstream = scriptedUpstream();
    const app = testApp({ REGSHIFT_STALE: '600' }, upstream.fetch);
    const fresh = await app.get(latest, docker19);
    expect(fresh.header('Age')).toBeNull();
    upstream.follow(script);
    app.advance(100);
    const stale = await app.get(latest, docker19);
    expect([stale.status, stale.header('Age')]).toEqual([200, '100']);
    expect(stale.body).toEqual(fresh.body);
  });

  it.each(failures.filter(([name]) => !name.includes('429')))(
    '(upstream %s), a write of someone without a right ends no public response',
    async (_name, script) => {
      const upstream = scriptedUpstream();
      const app = testApp({ REGSHIFT_STALE: '600' }, upstream.fetch);
      await app.get(latest, docker19);
      upstream.follow(script);
      app.advance(100);
      await app.send('DELETE', latest);
      const stale = await app.get(latest, docker19);
      expect([stale.status, stale.header('Age')]).toEqual([200, '100']);
    },
  );

  it('a write that the registry has taken before ends the public response', async () => {
    const taking: Script = ({ method }) =>
      method === 'DELETE' ? new Response(null, { status: 202 }) : undefined;
    const upstream = scriptedUpstream(taking);
    const app = testApp({ REGSHIFT_STALE: '600' }, upstream.fetch);
    await app.get(latest, docker19);
    expect((await app.send('DELETE', latest)).status).toBe(202);
    upstream.follow(() => specError(503, 'UNKNOWN'));
    expect((await app.get(latest, docker19)).status).toBe(503);
  });

  it('each stale response and ping is counted as one, also from the response cache', async () => {
    const upstream = scriptedUpstream();
    const counted: string[] = [];
    const metrics: Metrics = {
      ...noMetrics,
      responseSent: ({ resource, stale }) => counted.push(`${resource} ${stale ? 'stale' : 'fresh'}`),
    };
    const app = testApp({}, upstream.fetch, { metrics });
    const pull = async () => {
      for (const path of ['/v2/', latest, latest]) expect((await app.get(path, docker19)).status).toBe(200);
    };
    await pull();
    upstream.follow(() => specError(503, 'UNKNOWN'));
    app.advance(100);
    await pull();
    const each = ['ping', 'manifest', 'manifest'];
    expect(counted).toEqual([...each.map((one) => `${one} fresh`), ...each.map((one) => `${one} stale`)]);
  });

  it('a client that requests the digest of a stale HEAD gets it too (Docker 20.10, containerd)', async () => {
    const upstream = scriptedUpstream();
    const app = testApp({}, upstream.fetch);
    for (const client of ['Docker 1.13.1', 'Docker 20.10'] as const) {
      await app.get(latest, manifestRequestHeaders[client]);
    }
    upstream.follow(() => specError(503, 'UNKNOWN'));
    app.advance(100);
    for (const client of ['Docker 1.13.1', 'Docker 20.10'] as const) {
      const headers = manifestRequestHeaders[client];
      const digest = (await app.head(latest, headers)).header('Docker-Content-Digest');
      const response = await app.get(`/v2/sample/oci/manifests/${digest}`, headers);
      expect([response.status, response.header('Age')]).toEqual([200, '100']);
    }
  });

  it('a converted manifest that was pulled by digest before is served with its age too', async () => {
    const upstream = scriptedUpstream();
    const app = testApp({}, upstream.fetch);
    const digest = (await app.get(latest, docker19)).header('Docker-Content-Digest');
    const path = `/v2/sample/oci/manifests/${digest}`;
    await app.get(path, docker19);
    upstream.follow(() => specError(503, 'UNKNOWN'));
    app.advance(40);
    const stale = await app.get(path, docker19);
    expect([stale.status, stale.header('Age')]).toEqual([200, '40']);
  });

  it('a public response is too old after REGSHIFT_STALE', async () => {
    const upstream = scriptedUpstream();
    const app = testApp({ REGSHIFT_STALE: '600' }, upstream.fetch);
    await app.get(latest, docker19);
    upstream.follow(() => specError(503, 'UNKNOWN'));
    app.advance(601);
    expect((await app.get(latest, docker19)).status).toBe(503);
  });

  it('nothing stale is served with REGSHIFT_STALE=0', async () => {
    const upstream = scriptedUpstream();
    const app = testApp({ REGSHIFT_STALE: '0' }, upstream.fetch);
    await app.get(latest, docker19);
    upstream.follow(() => specError(503, 'UNKNOWN'));
    app.advance(31);
    expect((await app.get(latest, docker19)).status).toBe(503);
  });

  it.each(failures)('(upstream %s), a private response is never served', async (_name, script) => {
    const upstream = scriptedUpstream(privateTo(alice[1]));
    const app = testApp({}, upstream.fetch);
    expect((await app.get(latest, [...docker19, alice])).status).toBe(200);
    upstream.follow(script);
    app.advance(31);
    expect((await app.get(latest, [...docker19, alice])).status).toBeGreaterThanOrEqual(429);
    expect((await app.get(latest, docker19)).status).toBeGreaterThanOrEqual(429);
  });

  it.each([
    ['private', 401],
    ['forbidden', 403],
    ['deleted', 404],
  ])(
    'an image that became %s is no longer served, even when upstream fails after that',
    async (_, status) => {
      const upstream = scriptedUpstream();
      const app = testApp({}, upstream.fetch);
      await app.get(latest, docker19);
      upstream.follow(() => specError(status, 'DENIED'));
      app.advance(31);
      expect((await app.get(latest, docker19)).status).toBe(status);
      upstream.follow(() => specError(503, 'UNKNOWN'));
      expect((await app.get(latest, docker19)).status).toBe(503);
    },
  );
});

/** Docker Hub does not count a HEAD of a tag, but counts and limits the requests after it. */
describe('a tag that has moved to a manifest that upstream refuses now', () => {
  const moved = async () => {
    const upstream = scriptedUpstream();
    const app = testApp({ REGSHIFT_STALE: '600', REGSHIFT_TAG_TTL: '30' }, upstream.fetch);
    const before = await app.get(latest, docker19);
    const next = await testApp({ REGSHIFT_FORMAT: 'auto' }).head('/v2/sample/schema2/manifests/latest', [
      ['Accept', '*/*'],
    ]);
    const digest = next.header('Docker-Content-Digest') ?? '';
    const type = next.header('Content-Type') ?? '';
    const limited: Script = (request, { pathname }) => {
      if (!pathname.includes('/manifests/')) return undefined;
      if (request.method !== 'HEAD') return specError(429, 'TOOMANYREQUESTS', { 'Retry-After': '9' });
      const headers = { 'Docker-Content-Digest': digest, 'Content-Type': type };
      return new Response(null, { headers });
    };
    upstream.follow(limited);
    return { upstream, app, before };
  };

  it('leads to the previous manifest, with its age', async () => {
    const { app, before } = await moved();
    app.advance(100);
    for (const age of ['100', '140']) {
      const response = await app.get(latest, docker19);
      expect([response.status, response.header('Age')]).toEqual([200, age]);
      expect(response.body).toEqual(before.body);
      app.advance(40);
    }
  });

  it('is 429 after REGSHIFT_STALE', async () => {
    const { app } = await moved();
    app.advance(601);
    const response = await app.get(latest, docker19);
    expect([response.status, response.header('Retry-After')]).toEqual([429, '9']);
  });
});
