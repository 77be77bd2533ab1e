import { env } from 'cloudflare:workers';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Digest, digestHex, digestOf } from '../../converters/digest.ts';
import { createR2Store } from '../../src/runtime/worker/r2-store.ts';
import { describeBlobStore, storeBlob } from '../support/blob-stores.ts';
import { layerContent } from '../support/layer-content.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { scriptedUpstream } from '../support/scripted-upstream.ts';
import { type Ask, behind, isolate } from './isolate.ts';

const bucket = (env as unknown as { TEST_LAYERS: R2Bucket }).TEST_LAYERS;
const quiet = () => {};

async function empty(): Promise<void> {
  const { objects } = await bucket.list();
  await bucket.delete(objects.map(({ key }) => key));
}

async function openStore() {
  await empty();
  return createR2Store(bucket, quiet);
}

afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  await empty();
});

describeBlobStore('a bucket of R2', openStore, async (_store, digest, bytes) => {
  await bucket.put(`blobs/sha256/${digestHex(digest as Digest)}`, bytes);
});

describe('a bucket of R2', () => {
  it('lists more blobs than fit on one page', async () => {
    const store = await openStore();
    const pages = { ...bucket, list: (options: R2ListOptions) => bucket.list({ ...options, limit: 2 }) };
    for (const size of [1, 2, 3, 4, 5]) await storeBlob(store, layerContent(size));
    let found = 0;
    for await (const { size } of createR2Store(pages as unknown as R2Bucket, quiet).list?.() ?? [])
      found += size;
    expect(found).toBe(15);
  });
});

describe('a Worker with a bucket of R2', () => {
  const docker113 = manifestRequestHeaders['Docker 1.13.1'];

  /** Pulls the zstd sample, and returns its layers. */
  async function pullLayers(ask: Ask) {
    const manifest = await ask('/v2/sample/oci-zstd/manifests/1.0', docker113);
    expect(manifest.status).toBe(200);
    const { layers } = (await manifest.json()) as { layers: { digest: string; size: number }[] };
    for (const { digest, size } of layers) {
      const layer = await ask(`/v2/sample/oci-zstd/blobs/${digest}`);
      const bytes = new Uint8Array(await layer.arrayBuffer());
      expect([layer.status, bytes.length, digestOf(bytes)]).toEqual([200, size, digest]);
    }
    return layers;
  }

  it('decompresses a layer once, and serves it from the bucket, whole and in parts', async () => {
    await empty();
    const upstream = scriptedUpstream();
    const ask = isolate({ ...behind(upstream.fetch), LAYERS: bucket });
    const layers = await pullLayers(ask);
    await vi.waitFor(async () => {
      const { objects } = await bucket.list();
      const stored = objects.map(({ key }) => key.slice('blobs/sha256/'.length).split('.')[0]);
      expect(stored).toEqual(expect.arrayContaining(layers.map(({ digest }) => digestHex(digest as Digest))));
    });
    upstream.forget();
    await pullLayers(ask);
    const [first] = layers;
    const part = await ask(`/v2/sample/oci-zstd/blobs/${first?.digest}`, [['range', 'bytes=1-2']]);
    expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 1-2/${first?.size}`]);
    expect(upstream.asked.filter((each) => each.startsWith('GET') && each.includes('/blobs/'))).toEqual([]);
  });

  it.each(['head', 'get', 'put'])('gives the layers if the bucket fails: %s', async (method) => {
    const failing = new Proxy(bucket, {
      get(target, name) {
        if (name === method)
          return () => Promise.reject(new Error('we encountered an internal error (10001)'));
        const value = Reflect.get(target, name) as unknown;
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    await pullLayers(isolate({ ...behind(scriptedUpstream().fetch), LAYERS: failing }));
  });

  it('refuses a folder, and a bucket of S3 without a key', async () => {
    const folder = await isolate({ REGSHIFT_STORE: 'file:///var/lib/regshift' })('/v2/');
    expect([folder.status, await folder.text()]).toEqual([
      503,
      expect.stringContaining('bind a bucket of R2 as LAYERS'),
    ]);
    const s3 = await isolate({ REGSHIFT_STORE: 's3://layers?region=eu-west-1' })('/v2/');
    expect([s3.status, await s3.text()]).toEqual([503, expect.stringContaining('AWS_ACCESS_KEY_ID')]);
  });
});
