import { describe, expect, it, vi } from 'vitest';
import { type Digest, digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { blobKey } from '../../src/layers/store/stored-blobs.ts';
import { tar } from '../../src/sample-registry/tar.ts';
import { zstd } from '../../src/sample-registry/zstd.ts';
import { testApp } from '../support/app.ts';
import { describeBlobStore } from '../support/blob-stores.ts';
import { layerContent } from '../support/layer-content.ts';
import { createMemoryBlobStore, storedKey } from '../support/memory-blob-store.ts';
import { compressedImage } from '../support/packed-image.ts';
import { layersOf, pull } from '../support/pull.ts';
import { basicChallenge, type Script, scriptedUpstream, specError } from '../support/scripted-upstream.ts';

const files = tar([{ kind: 'file', path: 'words', content: layerContent(300_000) }]);
const digest = digestOf(files);
const compressed = zstd(files, { contentSize: true, frames: 3 }).slice() as Uint8Array<ArrayBuffer>;
const compressedDigest = digestOf(compressed);
const image = compressedImage('team/app', [{ mediaType: mediaTypes.ociLayerZstd, compressed, tar: files }]);
const layerPath = `/v2/team/app/blobs/${digest}`;
const basic = (user: string) => `Basic ${btoa(`${user}:secret`)}`;

/** A program with a store in front of one image. */
function appWithStore(variables: Record<string, string> = {}, script: Script = image) {
  const upstream = scriptedUpstream(script);
  const store = createMemoryBlobStore();
  return { app: testApp(variables, upstream.fetch, { store }), store, upstream };
}

const layerRequests = ({ asked }: { readonly asked: readonly string[] }) =>
  asked.filter((each) => each === `GET /v2/team/app/blobs/${compressedDigest}`).length;

const realTimeout = setTimeout;

/** Waits for work, and lets the timers run meanwhile, slowly enough for threads that decompress. */
async function soon<Value>(work: Promise<Value>): Promise<Value> {
  let isDone = false;
  const over = work.finally(() => {
    isDone = true;
  });
  while (!isDone) {
    await vi.advanceTimersByTimeAsync(50);
    await new Promise((resolve) => realTimeout(resolve, 5));
  }
  return over;
}

describeBlobStore(
  'a store in memory',
  async () => createMemoryBlobStore(),
  async (store, of, bytes) =>
    void (store as ReturnType<typeof createMemoryBlobStore>).blobs.set(
      blobKey({ digest: of as Digest }),
      bytes,
    ),
);

describe('a layer that is decompressed for a client', () => {
  it('is stored by the first pull, and served from the store by the next one', async () => {
    const { app, store, upstream } = appWithStore();
    await pull(app, 'Docker 20.10', 'team/app');
    await app.settled();
    expect([...store.blobs.keys()]).toEqual([storedKey(digest)]);
    expect(store.blobs.get(storedKey(digest))).toEqual(files);
    upstream.forget();
    const { root, blobs } = await pull(app, 'Docker 20.10', 'team/app');
    expect(layersOf(root.body).map((each) => blobs.get(each) && digestOf(blobs.get(each) ?? files))).toEqual([
      digest,
    ]);
    expect(layerRequests(upstream)).toBe(0);
  });

  it('is looked for once in a store that does not have it', async () => {
    const { app, store } = appWithStore();
    await pull(app, 'Docker 20.10', 'team/app');
    expect(store.lookups).toBe(1);
  });

  it('is served in parts from the store', async () => {
    const { app, upstream } = appWithStore();
    await pull(app, 'Docker 20.10', 'team/app');
    await app.settled();
    upstream.forget();
    const part = await app.get(layerPath, { Range: 'bytes=1000-1999' });
    expect(part.status).toBe(206);
    expect(part.body).toEqual(files.subarray(1000, 2000));
    expect(layerRequests(upstream)).toBe(0);
  });

  it.each(['error', 'silence'] as const)(
    'comes from upstream while the store has a fault: %s',
    async (fault) => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      try {
        const { app, store } = appWithStore();
        store.fault = fault;
        const { blobs } = await soon(pull(app, 'Docker 20.10', 'team/app'));
        expect(digestOf(blobs.get(digest) ?? new Uint8Array())).toBe(digest);
        expect(app.logged.map(({ message }) => message)).toContain(
          'the store of layers failed; the layer comes from the registry',
        );
        const { writes } = store;
        // The store rests for some seconds, and works again by itself.
        await soon(app.get(layerPath));
        expect(store.writes).toBe(writes);
        store.fault = 'none';
        app.advance(6);
        await soon(app.get(layerPath));
        if (fault === 'error') await vi.waitFor(() => expect(store.blobs.size).toBe(1));
      } finally {
        vi.useRealTimers();
      }
    },
  );

  it.each([undefined, 'bytes=1000-200000'])(
    'goes on from upstream where the store breaks off (%s)',
    async (range) => {
      const { app, store } = appWithStore();
      await pull(app, 'Docker 20.10', 'team/app');
      await app.settled();
      store.fault = 'cut';
      const { body } = await app.get(layerPath, range === undefined ? {} : { Range: range });
      expect(digestOf(body)).toBe(digestOf(range === undefined ? files : files.subarray(1000, 200_001)));
    },
  );

  it('is not stored if the client leaves in the middle', async () => {
    const { app, store } = appWithStore();
    await app.get('/v2/team/app/manifests/latest', { 'User-Agent': 'docker/20.10.0' });
    const leaving = AbortSignal.abort();
    await app.send('GET', layerPath, {}, { signal: leaving }).catch(() => undefined);
    await app.settled();
    expect(store.blobs.size).toBe(0);
  });

  it('is dropped from the store, and decompressed again, if the stored one has another length', async () => {
    const { app, store } = appWithStore();
    await pull(app, 'Docker 20.10', 'team/app');
    await app.settled();
    store.blobs.set(storedKey(digest), files.subarray(1));
    const { body } = await app.get(layerPath);
    expect(digestOf(body)).toBe(digest);
    await app.settled();
    expect(store.blobs.get(storedKey(digest))).toEqual(files);
  });
});

describe('a store that two users share', () => {
  /** alice may read, and bob has a login that the registry refuses. */
  const closed: Script = (request, url) => {
    const brought = request.headers.get('authorization');
    if (brought === null) return specError(401, 'UNAUTHORIZED', { 'WWW-Authenticate': basicChallenge });
    return brought === basic('alice') ? image(request, url) : specError(403, 'DENIED');
  };

  it.each(['made', 'all'])('gives no layer to the user without the right (%s)', async (kept) => {
    const { app, store } = appWithStore({ REGSHIFT_STORE_BLOBS: kept }, closed);
    const alice = { Authorization: basic('alice') };
    const manifest = await app.get('/v2/team/app/manifests/latest', {
      ...alice,
      'User-Agent': 'docker/20.10.0 go/go1.13.15',
    });
    expect(manifest.status).toBe(200);
    for (const path of [layerPath, `/v2/team/app/blobs/${compressedDigest}`]) {
      expect((await app.get(path, alice)).status).toBe(200);
      await app.settled();
      const refused = await app.get(path, { Authorization: basic('bob') });
      expect([refused.status, refused.error().code]).toEqual([403, 'DENIED']);
    }
    expect(store.blobs.has(storedKey(digest))).toBe(true);
    expect(store.blobs.has(storedKey(compressedDigest))).toBe(kept === 'all');
  });
});

describe('blobs that upstream stores', () => {
  const blobPath = `/v2/team/app/blobs/${compressedDigest}`;
  const all = { REGSHIFT_STORE_BLOBS: 'all' };

  it('are not stored by default', async () => {
    const { app, store } = appWithStore();
    await app.get(blobPath);
    await app.settled();
    expect(store.blobs.size).toBe(0);
  });

  it('are stored as they pass, and served from the store after a HEAD upstream', async () => {
    const { app, store, upstream } = appWithStore(all);
    const first = await app.get(blobPath);
    expect(first.body).toEqual(compressed);
    await app.settled();
    expect(store.blobs.get(storedKey(compressedDigest))).toEqual(compressed);
    upstream.forget();
    const second = await app.get(blobPath);
    expect(second.body).toEqual(compressed);
    const part = await app.get(blobPath, { Range: 'bytes=-100' });
    expect([part.status, digestOf(part.body)]).toEqual([206, digestOf(compressed.subarray(-100))]);
    expect(upstream.asked).toEqual([`HEAD ${blobPath}`, `HEAD ${blobPath}`]);
  });

  it('are refused in the words of upstream, which do not tell that they are stored', async () => {
    const alice = { Authorization: basic('alice') };
    const { app } = appWithStore(all, (request, url) => {
      if (request.headers.get('authorization') === basic('alice')) return image(request, url);
      return request.method === 'HEAD' ? new Response(null, { status: 404 }) : specError(404, 'BLOB_UNKNOWN');
    });
    expect((await app.get(blobPath, alice)).status).toBe(200);
    await app.settled();
    const unknown = digestOf(new Uint8Array(1));
    const refusals = [];
    for (const each of [compressedDigest, unknown]) {
      const refusal = await app.get(`/v2/team/app/blobs/${each}`, { Authorization: basic('bob') });
      expect([refusal.status, refusal.error().code]).toEqual([404, 'BLOB_UNKNOWN']);
      refusals.push(refusal.text().replaceAll(each, 'it'));
    }
    expect(refusals[0]).toBe(refusals[1]);
  });

  it('are not stored if their bytes are wrong', async () => {
    const wrong = compressed.slice();
    wrong[1000] = 255 - (wrong[1000] ?? 0);
    const { app, store } = appWithStore(all, (request, url) =>
      url.pathname.endsWith(compressedDigest)
        ? new Response(wrong, { headers: { 'Content-Length': String(wrong.length) } })
        : image(request, url),
    );
    await app.get(blobPath).catch(() => undefined);
    await app.settled();
    expect(store.blobs.size).toBe(0);
  });

  it.each([
    ['shorter', compressed.subarray(0, 1000)],
    ['empty', new Uint8Array()],
    ['longer', new Uint8Array(compressed.length + 6)],
  ])('come from upstream, whole, where the stored one is %s, and are stored again', async (_, damaged) => {
    const { app, store } = appWithStore(all);
    store.blobs.set(storedKey(compressedDigest), damaged.slice());
    const part = await app.get(blobPath, { Range: 'bytes=5000-6000' });
    expect([part.status, digestOf(part.body)]).toEqual([206, digestOf(compressed.subarray(5000, 6001))]);
    store.blobs.set(storedKey(compressedDigest), damaged.slice());
    const whole = await app.get(blobPath);
    expect([whole.status, whole.header('Content-Length')]).toEqual([200, String(compressed.length)]);
    expect(digestOf(whole.body)).toBe(compressedDigest);
    await app.settled();
    expect(store.blobs.get(storedKey(compressedDigest))).toEqual(compressed);
  });

  it.each(['0', '7', String(compressed.length + 1)])(
    'come from upstream, and stay in the store, where a HEAD says %s bytes',
    async (length) => {
      const { app, store, upstream } = appWithStore(all, async (request, url) => {
        if (request.method !== 'HEAD' || !url.pathname.endsWith(compressedDigest)) return image(request, url);
        return new Response(null, { headers: { 'Content-Length': length } });
      });
      store.blobs.set(storedKey(compressedDigest), compressed);
      const part = await app.get(blobPath, { Range: 'bytes=5000-6000' });
      expect([part.status, digestOf(part.body)]).toEqual([206, digestOf(compressed.subarray(5000, 6001))]);
      expect(store.blobs.get(storedKey(compressedDigest))).toBe(compressed);
      const whole = await app.get(blobPath);
      expect([whole.status, whole.header('Content-Length')]).toEqual([200, String(compressed.length)]);
      expect(digestOf(whole.body)).toBe(compressedDigest);
      expect(layerRequests(upstream)).toBe(2);
      expect(app.logged.filter(({ level }) => level === 'warn')).toEqual([]);
      await app.settled();
      expect(store.blobs.get(storedKey(compressedDigest))).toEqual(compressed);
    },
  );

  it('that upstream has deleted are not served from the store', async () => {
    let deleted = false;
    const { app } = appWithStore(all, (request, url) =>
      deleted && url.pathname.includes('/blobs/') ? specError(404, 'BLOB_UNKNOWN') : image(request, url),
    );
    await app.get(blobPath);
    await app.settled();
    deleted = true;
    const { status } = await app.get(blobPath);
    expect(status).toBe(404);
  });
});
