import { describe, expect, it } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { tar } from '../../src/sample-registry/tar.ts';
import { zstd } from '../../src/sample-registry/zstd.ts';
import { testApp } from '../support/app.ts';
import { layerContent } from '../support/layer-content.ts';
import { createMemoryBlobStore } from '../support/memory-blob-store.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { compressedImage } from '../support/packed-image.ts';
import { pull } from '../support/pull.ts';
import { type Script, scriptedUpstream, specError } from '../support/scripted-upstream.ts';

const secret = tar([{ kind: 'file', path: 'secret', content: layerContent(50_000) }]);
const plain = digestOf(secret);
const compressed = zstd(secret, { contentSize: true }).slice() as Uint8Array<ArrayBuffer>;
const packed = digestOf(compressed);
const other = tar([{ kind: 'file', path: 'other', content: layerContent(10) }]);
const layer = { mediaType: mediaTypes.ociLayerZstd, compressed };

const alice = `Basic ${btoa('alice:secret')}`;
const bob = `Basic ${btoa('bob:secret')}`;
const docker113 = manifestRequestHeaders['Docker 1.13.1'];
const as = (login: string) => [...docker113, ['Authorization', login] as const];

/**
 * A registry that gives each user the repository of the user. bob's image names alice's layer, which his repository does
 * not have: docker-registry takes such a manifest if the layer has `urls`.
 * @param claimed the tar that bob's config says to be in the layer.
 */
function registry(claimed: Uint8Array): Script {
  const ofAlice = compressedImage('alice/app', [{ ...layer, tar: secret }]);
  const ofBob = compressedImage('bob/app', [{ ...layer, tar: claimed }]);
  return async (request, url) => {
    const owner = request.headers.get('authorization') === alice ? 'alice' : 'bob';
    if (!url.pathname.startsWith(`/v2/${owner}/`)) return specError(403, 'DENIED');
    if (owner === 'alice') return ofAlice(request, url);
    if (url.pathname.endsWith(packed)) return specError(404, 'BLOB_UNKNOWN');
    return ofBob(request, url);
  };
}

describe.each([
  ['with a store', () => ({ store: createMemoryBlobStore() })],
  ['without a store', () => ({})],
])('a layer of a private repository, %s', (_, platform) => {
  const appAfterAlice = async (claimed: Uint8Array) => {
    const app = testApp({}, scriptedUpstream(registry(claimed)).fetch, platform());
    const manifest = await app.get('/v2/alice/app/manifests/latest', as(alice));
    expect([manifest.status, (await app.get(`/v2/alice/app/blobs/${plain}`, as(alice))).body]).toEqual([
      200,
      new Uint8Array(secret),
    ]);
    await app.settled();
    return app;
  };

  it('is not given to a reader of another repository whose image names it', async () => {
    const app = await appAfterAlice(secret);
    const manifest = await app.get('/v2/bob/app/manifests/latest', as(bob));
    expect([manifest.status, manifest.error().code]).toEqual([404, 'UNSUPPORTED']);
    for (const method of ['GET', 'HEAD']) {
      expect((await app.send(method, `/v2/bob/app/blobs/${plain}`, as(bob))).status).toBe(404);
    }
  });

  it('does not tell its digest in the error of an image that claims another one', async () => {
    const app = await appAfterAlice(other);
    const manifest = await app.get('/v2/bob/app/manifests/latest', as(bob));
    expect(manifest.status).toBe(404);
    expect(manifest.text()).not.toContain(plain);
  });
});

it('a layer of two repositories is read once, and its first byte is asked for in the second one', async () => {
  const [one, two] = ['team/one', 'team/two'].map((name) =>
    compressedImage(name, [{ ...layer, tar: secret }]),
  );
  const ranges: (string | null)[] = [];
  const upstream = scriptedUpstream(async (request, url) => {
    if (url.pathname.endsWith(packed)) ranges.push(request.headers.get('range'));
    return (await one?.(request, url)) ?? two?.(request, url);
  });
  const app = testApp({}, upstream.fetch);
  await app.get('/v2/team/one/manifests/latest', docker113);
  await app.settled();
  ranges.length = 0;
  const { root } = await pull(app, 'Docker 1.13.1', 'team/two');
  expect([root.status, ranges]).toEqual([200, ['bytes=0-0', null]]);
});

it('a layer that was deleted is given to nobody who knows its digest', async () => {
  const image = compressedImage('alice/app', [{ ...layer, tar: secret }]);
  let isDeleted = false;
  const upstream = scriptedUpstream((request, url) => {
    if (request.method === 'DELETE') return new Response(null, { status: 202 });
    return isDeleted && url.pathname.endsWith(packed) ? specError(404, 'BLOB_UNKNOWN') : image(request, url);
  });
  const app = testApp({}, upstream.fetch, { store: createMemoryBlobStore() });
  await pull(app, 'Docker 1.13.1', 'alice/app');
  await app.settled();
  isDeleted = true;
  // At the registry itself, and then through the proxy.
  app.advance(31);
  const path = `/v2/alice/app/blobs/${plain}`;
  for (const method of ['HEAD', 'GET']) expect((await app.send(method, path, docker113)).status).toBe(404);
  isDeleted = false;
  expect((await app.get(path, docker113)).status).toBe(200);
  isDeleted = true;
  expect((await app.send('DELETE', `/v2/alice/app/blobs/${packed}`)).status).toBe(202);
  expect((await app.get(path, docker113)).status).toBe(404);
});

describe.each([
  ['with a store', () => ({ store: createMemoryBlobStore() })],
  ['without a store', () => ({})],
])('a layer of one registry behind the proxy, %s', (what, platform) => {
  const [ofAlice, ofBob, again] = ['http://alice.test', 'http://bob.test', 'http://alice.test/'];
  const routes = [
    { match: { path: 'alice/' }, upstream: ofAlice },
    { match: { path: 'bob/' }, upstream: ofBob },
    { match: { path: 'again/' }, upstream: again },
  ];
  const range = { Range: `bytes=${secret.length - 100}-` };
  const image = compressedImage('team/app', [{ ...layer, tar: secret }]);

  /**
   * Two registries. bob's has no byte of the layer, and claims to have it: it answers any HEAD, and invents the first
   * byte.
   */
  const bobClaims = (claimed: Uint8Array): Script => {
    const named = compressedImage('team/app', [{ ...layer, tar: claimed }]);
    return (request, url) => {
      if (url.origin === ofAlice) return image(request, url);
      const length = [packed, plain].findIndex((digest) => url.pathname.endsWith(digest));
      if (length < 0) return named(request, url);
      const size = [compressed, secret][length]?.length ?? 0;
      if (request.method === 'HEAD') return new Response(null, { headers: { 'Content-Length': `${size}` } });
      if (request.headers.get('range') !== 'bytes=0-0') return specError(404, 'BLOB_UNKNOWN');
      return new Response('x', { status: 206, headers: { 'Content-Range': `bytes 0-0/${size}` } });
    };
  };
  const appAfterAlice = async (blobs: string, claimed: Uint8Array) => {
    const config = { upstreamAuth: 'anonymous', routes };
    const upstream = scriptedUpstream(bobClaims(claimed));
    const app = testApp(
      { REGSHIFT_CONFIG: JSON.stringify(config), REGSHIFT_UPSTREAM: '', REGSHIFT_STORE_BLOBS: blobs },
      upstream.fetch,
      platform(),
    );
    expect((await app.get('/v2/alice/team/app/manifests/latest', docker113)).status).toBe(200);
    expect((await app.get(`/v2/alice/team/app/blobs/${packed}`)).body).toEqual(compressed);
    for (const headers of [{}, range]) await app.get(`/v2/alice/team/app/blobs/${plain}`, headers);
    await app.settled();
    upstream.forget();
    return { app, upstream };
  };

  it.each(['made', 'all'])(
    'is not given through another registry that claims to have it (%s)',
    async (blobs) => {
      const { app } = await appAfterAlice(blobs, secret);
      const manifest = await app.get('/v2/bob/team/app/manifests/latest', docker113);
      expect(manifest.status).toBe(404);
      for (const digest of [plain, packed]) {
        for (const headers of [{}, range]) {
          expect((await app.get(`/v2/bob/team/app/blobs/${digest}`, headers)).status).toBe(404);
        }
      }
    },
  );

  it('does not tell its digest in the error of another registry that claims another one', async () => {
    const { app } = await appAfterAlice('all', other);
    const manifest = await app.get('/v2/bob/team/app/manifests/latest', docker113);
    expect(manifest.status).toBe(404);
    expect(manifest.text()).not.toContain(plain);
  });

  it.runIf(what === 'with a store')('is given out of the store to a route to the same registry', async () => {
    const { app, upstream } = await appAfterAlice('all', secret);
    expect((await app.get('/v2/again/team/app/manifests/latest', docker113)).status).toBe(200);
    const whole = await app.get(`/v2/again/team/app/blobs/${plain}`);
    expect([whole.status, whole.body]).toEqual([200, new Uint8Array(secret)]);
    const stored = await app.get(`/v2/again/team/app/blobs/${packed}`);
    expect([stored.status, stored.body]).toEqual([200, compressed]);
    const reads = upstream.asked.filter((each) => each === `GET ${ofAlice}/v2/team/app/blobs/${packed}`);
    // The first byte alone, as a proof.
    expect(reads).toHaveLength(1);
  });
});
