import { describe, expect, it, vi } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import type { CacheEntry } from '../../src/cache/cache.ts';
import { noMetrics } from '../../src/observability/metrics.ts';
import { isOurs, kindOf } from '../../src/registry/cache-entries.ts';
import { gzip } from '../../src/sample-registry/gzip.ts';
import { tar } from '../../src/sample-registry/tar.ts';
import { zstd } from '../../src/sample-registry/zstd.ts';
import { type Answer, type TestApp, testApp } from '../support/app.ts';
import { manifestRequestHeaders, type OldClient } from '../support/old-clients.ts';
import { type CompressedLayer, compressedImage } from '../support/packed-image.ts';
import { layersOf, pull } from '../support/pull.ts';
import {
  countingPulls,
  firstBytes,
  privateTo,
  type Script,
  scriptedUpstream,
  specError,
} from '../support/scripted-upstream.ts';

const { ociLayer, ociLayerGzip, ociIndex } = mediaTypes;
const own = (bytes: Uint8Array) => bytes.slice() as Uint8Array<ArrayBuffer>;
const filesOf = (name: string) => own(tar([{ kind: 'directory', path: name }]));
const layer = (
  mediaType: string,
  compress: (bytes: Uint8Array) => Uint8Array,
  name: string,
): CompressedLayer => ({
  mediaType,
  compressed: own(compress(filesOf(name))),
  tar: filesOf(name),
});
const asZstd = (bytes: Uint8Array) => zstd(bytes, { contentSize: true });
const asIs = (bytes: Uint8Array) => bytes;

const trueBase = layer(ociLayerGzip, gzip, 'base');
const lyingGzip = layer(ociLayerGzip, asZstd, 'gzip');
const lyingTar = layer(ociLayer, asZstd, 'tar');
const truthful = [trueBase, layer(ociLayer, asIs, 'plain')];
const lying = [trueBase, lyingGzip, lyingTar];
const plain = lying.map((each) => digestOf(each === trueBase ? each.compressed : each.tar));
const stored = lying.map((each) => digestOf(each.compressed));

const name = 'team/labels';
const latest = `/v2/${name}/manifests/latest`;
const docker20: OldClient = 'Docker 20.10';
const headersOf = (client: OldClient, login?: string) => [
  ...manifestRequestHeaders[client],
  ...(login ? [['Authorization', login] as const] : []),
];

const inOrder = (answer: Answer) => {
  const layers = layersOf(answer.body);
  return answer.header('Content-Type') === mediaTypes.schema1Signed ? layers.toReversed() : layers;
};

function appOver(layers: readonly CompressedLayer[], before?: Script, variables = {}) {
  const image = compressedImage(name, layers);
  const ranges: string[] = [];
  const upstream = scriptedUpstream(async (request, url) => {
    if (url.pathname.includes('/blobs/')) ranges.push(request.headers.get('range') ?? '');
    if (url.pathname.endsWith('/tags/list')) return Response.json({ name, tags: ['latest'] });
    return (await before?.(request, url)) ?? image(request, url);
  });
  return { app: testApp(variables, upstream.fetch), upstream, ranges };
}

function sharedCache() {
  const entries = new Map<string, CacheEntry>();
  const cache = {
    get: async (key: string) => entries.get(key),
    set: async (key: string, entry: CacheEntry) => void entries.set(key, entry),
  };
  return { entries, tiers: [{ name: 'shared', cache, accepts: isOurs }] };
}

async function twice(app: TestApp, client: OldClient) {
  const first = await app.get(latest, headersOf(client));
  await app.settled();
  return { first, second: await app.get(latest, headersOf(client)) };
}

describe('an image with zstd layers that are labelled gzip and tar', () => {
  it.each(['Docker 1.9.1', 'Docker 1.13.1', 'Docker 20.10'] as const)(
    'is first as labelled for %s, and then has the plain tars, which can be pulled',
    async (client) => {
      const { app } = appOver(lying);
      const { first, second } = await twice(app, client);
      expect(inOrder(first)).toEqual(stored);
      expect(inOrder(second)).toEqual(plain);
      const { blobs } = await pull(app, client, name);
      for (const each of [lyingGzip, lyingTar]) expect(blobs.get(digestOf(each.tar))).toEqual(each.tar);
      const head = await app.head(latest, headersOf(client));
      expect(head.header('Docker-Content-Digest')).toBe(second.header('Docker-Content-Digest'));
    },
  );

  it('is as stored for a client that decompresses zstd', async () => {
    const { app, ranges } = appOver(lying);
    const { second } = await twice(app, 'skopeo');
    expect(inOrder(second)).toEqual(stored);
    expect(ranges).toEqual([]);
  });

  it('costs one request for the first bytes of each layer', async () => {
    const { app, ranges } = appOver(truthful);
    const { first, second } = await twice(app, docker20);
    await app.settled();
    expect(ranges).toEqual([firstBytes, firstBytes]);
    expect(second.body).toEqual(first.body);
  });

  it('is answered from memory once its labels are known to be right', async () => {
    const { app, upstream } = appOver(truthful, undefined, { REGSHIFT_TAG_TTL: '60' });
    await twice(app, docker20);
    upstream.forget();
    await app.get(latest, headersOf(docker20));
    expect(upstream.asked).toEqual([]);
  });

  it('is not made again after REGSHIFT_TAG_TTL once its labels are known to be right', async () => {
    const conversions: unknown[] = [];
    const metrics = { ...noMetrics, conversion: (facts: unknown) => void conversions.push(facts) };
    const app = testApp({}, scriptedUpstream(compressedImage(name, truthful)).fetch, { metrics });
    const { second } = await twice(app, 'Docker 1.9.1');
    await app.settled();
    await app.get(latest, headersOf('Docker 1.9.1'));
    app.advance(31);
    conversions.length = 0;
    expect((await app.get(latest, headersOf('Docker 1.9.1'))).body).toEqual(second.body);
    expect(conversions).toEqual([]);
  });

  it('is found by the digest of the plain image, by a replica that knows nothing', async () => {
    const { app } = appOver(lying);
    const { second } = await twice(app, docker20);
    const digest = second.header('Docker-Content-Digest') ?? '';
    const other = appOver(lying).app;
    const byDigest = await other.get(latest.replace('latest', digest), headersOf(docker20));
    expect([byDigest.status, digestOf(byDigest.body)]).toEqual([200, digest]);
    const blob = await appOver(lying).app.get(
      `/v2/${name}/blobs/${digestOf(lyingTar.tar)}`,
      headersOf(docker20),
    );
    expect([blob.status, blob.body]).toEqual([200, lyingTar.tar]);
  });

  it('leaves one entry in a shared cache, however many layers it has', async () => {
    const { tiers, entries } = sharedCache();
    await twice(testApp({}, scriptedUpstream(compressedImage(name, truthful)).fetch, { tiers }), docker20);
    const ofLayers = [...entries.keys()].filter((key) => ['compression', 'labels'].includes(kindOf(key)));
    expect(ofLayers.map(kindOf)).toEqual(['labels']);
  });

  it('costs a second replica no request for first bytes, where they share a cache', async () => {
    const { tiers } = sharedCache();
    const image = compressedImage(name, lying);
    await twice(testApp({}, scriptedUpstream(image).fetch, { tiers }), docker20);
    const upstream = scriptedUpstream(image);
    const { second } = await twice(testApp({}, upstream.fetch, { tiers }), docker20);
    expect(inOrder(second)).toEqual(plain);
    expect(upstream.asked.filter((each) => each.includes('/blobs/'))).toEqual([]);
  });

  it('is not looked into where upstream counts pulls', async () => {
    const { app, ranges } = appOver(lying, countingPulls);
    await app.get(latest, headersOf(docker20));
    await twice(app, docker20);
    expect(ranges).toEqual([]);
  });

  it.each([
    ['gzip', lyingGzip],
    ['tar', lyingTar],
  ])(
    'is looked into again after ten minutes, and no other process believes it, where upstream sent a page of HTML for a layer labelled %s',
    async (_, lyingLayer) => {
      let isIll = true;
      const { tiers, entries } = sharedCache();
      const image = compressedImage(name, [trueBase, lyingLayer]);
      const upstream = scriptedUpstream((request, url) =>
        isIll && url.pathname.endsWith(digestOf(lyingLayer.compressed))
          ? new Response('<html>maintenance</html>')
          : image(request, url),
      );
      const app = testApp({}, upstream.fetch, { tiers });
      const wanted = [trueBase.compressed, lyingLayer.tar].map((bytes) => digestOf(bytes));
      const asStored = [trueBase, lyingLayer].map(({ compressed }) => digestOf(compressed));
      expect(inOrder((await twice(app, docker20)).second)).toEqual(asStored);
      isIll = false;
      expect([...entries.keys()].map(kindOf)).not.toContain('labels');
      expect(inOrder((await twice(testApp({}, upstream.fetch, { tiers }), docker20)).second)).toEqual(wanted);
      entries.clear();
      app.advance(601);
      await twice(app, docker20);
      expect(inOrder((await twice(app, docker20)).second)).toEqual(wanted);
    },
  );

  it('is looked into again a minute after upstream failed to give the first bytes', async () => {
    let fails = true;
    const { app } = appOver(lying, (_, { pathname }) =>
      fails && pathname.includes('/blobs/') ? specError(503, 'UNKNOWN') : undefined,
    );
    expect(inOrder((await twice(app, docker20)).second)).toEqual(stored);
    fails = false;
    expect(inOrder((await twice(app, docker20)).second)).toEqual(stored);
    app.advance(61);
    await twice(app, docker20);
    expect(inOrder((await twice(app, docker20)).second)).toEqual(plain);
  });

  it('is looked into with the login of the request that caused it, and no other', async () => {
    const [alice, bob] = ['Basic YWxpY2U6c2VjcmV0', 'Basic Ym9iOnNlY3JldA=='];
    const logins: (string | null)[] = [];
    const { app } = appOver(lying, (request, url) => {
      if (request.headers.get('range') === firstBytes) logins.push(request.headers.get('authorization'));
      return privateTo(alice, bob)(request, url);
    });
    await app.get(latest, headersOf(docker20, alice));
    await app.settled();
    await app.get(latest, headersOf(docker20, bob));
    await app.settled();
    expect(new Set(logins)).toEqual(new Set([alice]));
    expect(inOrder(await app.get(latest, headersOf(docker20, bob)))).toEqual(plain);
    expect((await app.get(latest, headersOf(docker20))).status).toBe(401);
  });
});

describe('an index with such an image', () => {
  const imageType = mediaTypes.ociManifest;

  /** The same repository with an index under the tag. */
  const indexed = (layers: readonly CompressedLayer[]): Script => {
    const image = compressedImage(name, layers);
    return async (request, url) => {
      if (url.pathname !== latest) return image(request, url);
      const child = (await image(new Request(url), url)) as Response;
      const bytes = new Uint8Array(await child.arrayBuffer());
      const body = JSON.stringify({
        schemaVersion: 2,
        mediaType: ociIndex,
        manifests: [
          {
            ...{ mediaType: imageType, digest: digestOf(bytes), size: bytes.length },
            platform: { os: 'linux', architecture: 'amd64' },
          },
        ],
      });
      const digest = digestOf(new TextEncoder().encode(body));
      return new Response(body, { headers: { 'Content-Type': ociIndex, 'Docker-Content-Digest': digest } });
    };
  };

  it.each([docker20, 'Docker 1.13.1'] as const)(
    'has an image of plain tars for %s, later',
    async (client) => {
      const script = indexed(lying);
      const indexDigest = digestOf(
        new Uint8Array(
          await (
            (await script(new Request(`http://a${latest}`), new URL(`http://a${latest}`))) as Response
          ).arrayBuffer(),
        ),
      );
      const upstream = scriptedUpstream((request, url) =>
        url.pathname.endsWith(indexDigest)
          ? script(new Request(`http://a${latest}`), new URL(`http://a${latest}`))
          : script(request, url),
      );
      const app = testApp({}, upstream.fetch);
      const childIn = (list: Answer) =>
        (JSON.parse(list.text()).manifests as { digest: string }[])[0]?.digest;
      const asLabelled = childIn(await app.get(latest, headersOf(client)));
      await app.settled();
      const child = await vi.waitFor(async () => {
        const made = childIn(await app.get(latest, headersOf(client)));
        await app.settled();
        expect(made).not.toBe(asLabelled);
        return made;
      });
      // The first request for it.
      const image = await app.get(latest.replace('latest', child ?? ''), headersOf(client));
      expect([image.status, digestOf(image.body), inOrder(image)]).toEqual([200, child, plain]);
    },
  );
});
