import { describe, expect, it } from 'vitest';
import { mediaTypes } from '../../converters/media-types.ts';
import { createSampleRegistry } from '../../src/sample-registry/registry.ts';
import { type Answer, testApp } from '../support/app.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { privateTo, type Script, scriptedUpstream, specError } from '../support/scripted-upstream.ts';

const docker19 = manifestRequestHeaders['Docker 1.9.1'];
const latest = '/v2/sample/oci/manifests/latest';
const alice = ['Authorization', 'Basic YWxpY2U6c2VjcmV0'] as const;
const samples = createSampleRegistry();

/** The tag of the repository now names another image. */
const moved: Script = ({ method }, { href }) =>
  samples.fetch(href.replace('sample/oci/', 'sample/oci-no-history/'), { method });

/** With a TTL of 0 each request checks the access right upstream, although its response is cached. */
const asking = { REGSHIFT_TAG_TTL: '0' };

const all = ({ status, headers, body }: Answer) => [status, [...headers], [...body]];

/** A proxy that has responded once, and the requests that it sends to upstream after that. */
async function cachedResponse(
  path: string,
  script?: Script,
  headers: readonly (readonly [string, string])[] = docker19,
  variables = {},
) {
  const upstream = scriptedUpstream(script);
  const app = testApp({ ...asking, ...variables }, upstream.fetch);
  const first = await app.get(path, headers);
  expect(first.status).toBe(200);
  await app.settled();
  upstream.forget();
  return { app, upstream, first, again: () => app.get(path, headers) };
}

describe('a cached response whose access grant has expired', () => {
  it('costs one HEAD, and is the same response', async () => {
    const { upstream, first, again } = await cachedResponse(latest);
    expect(all(await again())).toEqual(all(first));
    expect(upstream.asked).toEqual([`HEAD ${latest}`]);
  });

  it('costs one HEAD for the source digest when the request names a converted digest', async () => {
    const cached = await cachedResponse(latest);
    const path = latest.replace('latest', cached.first.header('Docker-Content-Digest') ?? '');
    await cached.app.get(path, docker19);
    cached.upstream.forget();
    expect((await cached.app.get(path, docker19)).body).toEqual(cached.first.body);
    const source = cached.first.header('Regshift-Source-Digest') ?? '';
    expect(cached.upstream.asked).toEqual([`HEAD ${latest.replace('latest', source)}`]);
  });

  it('is the response for another image once the tag has moved, after one HEAD', async () => {
    const { upstream, first, again } = await cachedResponse(latest);
    upstream.follow(moved);
    const other = await again();
    expect(other.status).toBe(200);
    expect(other.header('Regshift-Source-Digest')).not.toBe(first.header('Regshift-Source-Digest'));
    expect(upstream.asked.filter((each) => each.startsWith('HEAD'))).toEqual([`HEAD ${latest}`]);
  });

  it.each([
    // A refusal of HEAD to everyone is confirmed by GET.
    [403, 'DENIED', ['HEAD', 'GET']],
    [404, 'MANIFEST_UNKNOWN', ['HEAD']],
    [429, 'TOOMANYREQUESTS', ['HEAD']],
    [500, 'UNKNOWN', ['HEAD']],
  ])('is refused as upstream refuses it: %i %s, after %j', async (status, code, methods) => {
    const { app, upstream, again } = await cachedResponse(latest, undefined, [...docker19], {
      REGSHIFT_STALE: '0',
    });
    app.advance(1);
    upstream.follow(() => specError(status, code));
    const fresh = testApp(asking, scriptedUpstream(() => specError(status, code)).fetch);
    const expected = await fresh.get(latest, docker19);
    const { status: got, body } = await again();
    expect([got, body]).toEqual([expected.status, expected.body]);
    expect(upstream.asked).toEqual(methods.map((method) => `${method} ${latest}`));
  });

  it('is refused to a login that has lost its right', async () => {
    const mine = [...docker19, alice];
    const { upstream, again } = await cachedResponse(latest, privateTo(alice[1]), mine);
    upstream.follow(privateTo());
    expect((await again()).status).toBe(401);
  });

  it('has the Cache-Control of a private image once a public image has become private', async () => {
    const mine = [...docker19, alice];
    const { upstream, first, again } = await cachedResponse(latest, undefined, mine, { REGSHIFT_STALE: '0' });
    upstream.follow(privateTo(alice[1]));
    const { status, header } = await again();
    expect([status, header('Cache-Control')]).toEqual([200, first.header('Cache-Control')]);
    // Both requests carried Alice's login: neither shows that the image is public.
    expect(header('Cache-Control')).toMatch(/private/);
  });

  it('has an Age while upstream fails', async () => {
    const { app, upstream, again } = await cachedResponse(latest);
    upstream.follow(() => specError(503, 'UNKNOWN'));
    app.advance(40);
    const stale = await again();
    expect([stale.status, stale.header('Age')]).toEqual([200, '40']);
    expect(upstream.asked).toEqual([`HEAD ${latest}`]);
    upstream.follow();
    expect((await again()).header('Age')).toBeNull();
  });

  it('is converted again when the cache has evicted the recipe of content that it names', async () => {
    const path = '/v2/sample/schema1/manifests/latest';
    const docker27 = [
      ['User-Agent', 'docker/27.3.1 go/go1.22.7 kernel/6.1.0 os/linux arch/amd64'],
      ['Accept', mediaTypes.schema2],
    ] as const;
    const small = { REGSHIFT_CACHE_BYTES: '64000', REGSHIFT_WALK_TAGS: '0', REGSHIFT_WALK_GETS: '0' };
    const { app, first, again } = await cachedResponse(path, undefined, [...docker27], small);
    const { config } = JSON.parse(first.text()) as { config: { digest: string } };
    const configPath = `/v2/sample/schema1/blobs/${config.digest}`;
    expect((await app.get(configPath)).status).toBe(200);
    const others = ['oci', 'index', 'list', 'generic', 'schema2', 'oci-no-history', 'fat-generic'];
    for (const name of others) {
      // A response to If-None-Match is not cached: these requests fill the content cache alone.
      for (const words of [docker19, manifestRequestHeaders['Docker 1.13.1']]) {
        await app.get(`/v2/sample/${name}/manifests/latest`, [...words, ['If-None-Match', '"other"']]);
      }
    }
    expect((await app.get(configPath)).status).toBe(404);
    expect((await again()).body).toEqual(first.body);
    expect((await app.get(configPath)).status).toBe(200);
  });

  it('logs no error when the client disconnects meanwhile', async () => {
    const { app, upstream } = await cachedResponse(latest);
    const leaving = new AbortController();
    upstream.follow(() => {
      leaving.abort();
      return new Promise(() => undefined);
    });
    const { status } = await app.send('GET', latest, [...docker19], { signal: leaving.signal });
    expect(status).toBe(499);
    expect(app.logged.filter(({ level }) => level === 'error')).toEqual([]);
    expect(upstream.asked).toEqual([`HEAD ${latest}`]);
  });

  it('counts as a request in flight', async () => {
    const { app, upstream, again } = await cachedResponse(latest, undefined, [...docker19], {
      REGSHIFT_MAX_REQUESTS: '2',
    });
    const { promise, resolve } = Promise.withResolvers<undefined>();
    upstream.follow(() => promise);
    const waiting = [again(), again()];
    expect((await again()).status).toBe(503);
    resolve(undefined);
    for (const { status } of await Promise.all(waiting)) expect(status).toBe(200);
    // Each request has released its place.
    for (const _ of [1, 2, 3]) expect((await again()).status).toBe(200);
    expect(app.logged.filter(({ facts }) => facts?.status === 503)).toHaveLength(1);
  });

  it('is logged as one request, with its cost', async () => {
    const { app, again } = await cachedResponse(latest);
    await again();
    const [, second] = app.logged.filter(({ message }) => message === 'request');
    expect(second?.facts).toMatchObject({
      cache: 'held',
      upstreamRequests: 1,
      status: 200,
      conversion: 'oci -> schema1',
    });
  });
});
