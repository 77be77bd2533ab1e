import { describe, expect, it, vi } from 'vitest';
import { digestHex, digestOf } from '../../converters/digest.ts';
import type { BlobStore } from '../../src/layers/store/blob-store.ts';
import { bucketMaintenance } from '../../src/layers/store/s3/s3-list.ts';
import { createS3Store, type S3StoreOptions } from '../../src/layers/store/s3/s3-store.ts';
import { describeBlobStore, describeNamingAtEnd, storeBlob } from '../support/blob-stores.ts';
import { bytesOf } from '../support/byte-streams.ts';
import { layerContent } from '../support/layer-content.ts';
import { createS3Server, type S3Server, s3Error, s3Key } from '../support/s3-server.ts';

const MiB = 2 ** 20;
const region = 'eu-west-1';
const endpoint = new URL('http://s3.test:9000');
const servers = new WeakMap<BlobStore, S3Server>();
const keyOf = (digest: string) => `cache/layers/blobs/sha256/${digestHex(digest as never)}`;

function openStore(more: Partial<S3StoreOptions> = {}) {
  const server = createS3Server('layers', region);
  const log = vi.fn();
  const store = createS3Store({
    bucket: { bucket: 'layers', endpoint, region },
    prefix: 'cache/layers',
    credentials: async () => s3Key,
    fetch: server.fetch,
    userAgent: 'regshift/test',
    wallClock: () => new Date(),
    log,
    mostWrites: 4,
    firstPauseMs: 1,
    maintenance: bucketMaintenance,
    ...more,
  });
  servers.set(store, server);
  return { store, server, log };
}

describeBlobStore(
  'a bucket with the API of S3',
  async () => openStore().store,
  async (store, digest, bytes) =>
    void servers.get(store)?.objects.set(keyOf(digest), {
      bytes: bytes.slice() as Uint8Array<ArrayBuffer>,
      modified: new Date(),
    }),
);
describeNamingAtEnd('a bucket with the API of S3', async () => openStore().store);

describe('a bucket', () => {
  it('gets a small blob by one request, and a larger one in parts of one size', async () => {
    const { store, server } = openStore();
    await storeBlob(store, layerContent(1_000));
    expect(server.asked).toHaveLength(1);
    const blob = await storeBlob(store, layerContent(20 * MiB));
    const parts = server.asked.filter((each) => each.includes('partNumber'));
    const numbers = parts.map((each) => each.replace(/^.*partNumber=(\d+).*$/, '$1'));
    expect(numbers.toSorted()).toEqual(['1', '2', '3']);
    expect(server.objects.get(keyOf(blob.digest))?.bytes.length).toBe(blob.size);
    expect(server.uploads.size).toBe(0);
  });

  it('leaves no temporary key behind a blob whose digest was known at its end', async () => {
    const { store, server } = openStore({ copyLimits: { mostCopied: 10 * MiB, copiedPart: 6 * MiB } });
    // A blob up to the limit is copied at once, and a larger one in parts.
    for (const size of [9 * MiB, 17 * MiB]) {
      const bytes = layerContent(size);
      const write = await store.write();
      for (let at = 0; at < size; at += MiB) await write.add(bytes.slice(at, at + MiB));
      const blob = { digest: digestOf(bytes), size };
      await write.commit(blob);
      const stream = await store.read(blob);
      expect(stream && digestOf(await bytesOf(stream))).toBe(blob.digest);
    }
    expect([...server.objects.keys()].every((key) => key.startsWith('cache/layers/blobs/'))).toBe(true);
    expect(server.uploads.size).toBe(0);
  });

  it('removes the parts of a write that is given up', async () => {
    const { store, server } = openStore();
    const write = await store.write();
    for (let turn = 0; turn < 20; turn += 1) await write.add(layerContent(MiB));
    expect(server.uploads.size).toBe(1);
    await write.abort();
    expect([server.uploads.size, server.objects.size]).toEqual([0, 0]);
  });

  it.each([500, 503, 429])('is asked again after %i, a few times', async (status) => {
    const { store, server } = openStore();
    let failures = 2;
    server.intervene = () => {
      failures -= 1;
      return failures >= 0 ? s3Error(status, 'SlowDown') : undefined;
    };
    const blob = await storeBlob(store, layerContent(100));
    expect(await store.head(blob)).toBe(100);
    failures = 100;
    const before = server.asked.length;
    await expect(store.head(blob)).rejects.toThrow(String(status));
    expect(server.asked.length - before).toBe(4);
  });

  it('has sent the rest of a blob whose connection breaks', async () => {
    const { store, server } = openStore();
    const bytes = layerContent(MiB);
    const blob = await storeBlob(store, bytes);
    let breaks = 2;
    server.intervene = (method, url) => {
      if (method !== 'GET' || !url.pathname.includes('/blobs/') || breaks === 0) return undefined;
      breaks -= 1;
      const from = breaks === 1 ? 0 : 400_000;
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(bytes.slice(from, from + 400_000));
        },
        pull: () => Promise.reject(new TypeError('terminated')),
      });
      const headers = { 'content-length': String(MiB - from) };
      const range = { 'content-range': `bytes ${from}-${MiB - 1}/${MiB}` };
      return new Response(body, {
        status: from === 0 ? 200 : 206,
        headers: from === 0 ? headers : { ...headers, ...range },
      });
    };
    const stream = await store.read(blob);
    expect(stream && digestOf(await bytesOf(stream))).toBe(blob.digest);
    expect(breaks).toBe(0);
  });

  it.each([
    ['NoSuchBucket', 404, 'Create the bucket, or correct its name in REGSHIFT_STORE'],
    ['AccessDenied', 403, 'Allow s3:GetObject'],
    ['SignatureDoesNotMatch', 403, 'Check AWS_SECRET_ACCESS_KEY'],
    ['ExpiredToken', 400, 'Give new AWS credentials'],
  ])('whose answer is %s is named with what to do', async (code, status, todo) => {
    const { store, server } = openStore();
    server.intervene = () => s3Error(status, code, `no, not with ${s3Key.secretAccessKey}`);
    const failing = store.read({ digest: digestOf(layerContent(1)), size: 1 });
    const message = await failing.then(String, String);
    expect(message).toContain(`GET to s3.test:9000 answered ${status} ${code}`);
    expect(message).toContain(todo);
    expect(message).not.toContain(s3Key.secretAccessKey);
  });

  it('refuses requests with another key', async () => {
    const { store } = openStore({ credentials: async () => ({ ...s3Key, secretAccessKey: 'wrong' }) });
    await expect(storeBlob(store, layerContent(10))).rejects.toThrow('SignatureDoesNotMatch');
  });

  it('of AWS has a host of its own', async () => {
    const asked: string[] = [];
    const { store } = openStore({
      bucket: { bucket: 'layers', endpoint: undefined, region },
      fetch: async (href) => {
        asked.push(href);
        return new Response(null, { status: 404 });
      },
    });
    const digest = digestOf(layerContent(1));
    expect(await store.head({ digest })).toBeUndefined();
    expect(asked).toEqual([`https://layers.s3.eu-west-1.amazonaws.com/${keyOf(digest)}`]);
  });

  it('loses what writers left a day ago, and the blobs that were written longest ago', async () => {
    const { store, server } = openStore();
    const blobs = [];
    for (const size of [101, 102, 103]) blobs.push(await storeBlob(store, layerContent(size)));
    for (const [age, blob] of blobs.entries()) {
      const object = server.objects.get(keyOf(blob.digest));
      if (object) object.modified = new Date(Date.now() - (3 - age) * 60_000);
    }
    const yesterday = new Date(Date.now() - 90_000_000);
    const left = { bytes: new Uint8Array(5), modified: yesterday };
    server.objects.set('cache/layers/incoming/left', left);
    server.objects.set('cache/layers/incoming/in-progress', { ...left, modified: new Date() });
    server.objects.set('elsewhere/incoming/old', left);
    server.uploads.set('old', { key: 'cache/layers/incoming/a', parts: new Map(), begun: yesterday });
    server.uploads.set('foreign', { key: 'elsewhere/a', parts: new Map(), begun: yesterday });
    expect(await store.prune?.()).toEqual({ blobs: 0, bytes: 0 });
    expect([...server.uploads.keys()]).toEqual(['foreign']);
    expect(server.objects.has('cache/layers/incoming/left')).toBe(false);
    expect(server.objects.has('cache/layers/incoming/in-progress')).toBe(true);
    expect(server.objects.has('elsewhere/incoming/old')).toBe(true);
    expect(await store.prune?.(205)).toEqual({ blobs: 1, bytes: 101 });
  });

  it('of a server that lists no uploads loses blobs all the same', async () => {
    const { store, server } = openStore();
    await storeBlob(store, layerContent(100));
    server.intervene = (_method, url) =>
      url.searchParams.has('uploads') ? s3Error(501, 'NotImplemented') : undefined;
    expect(await store.prune?.(0)).toEqual({ blobs: 1, bytes: 100 });
    server.intervene = (_method, url) =>
      url.searchParams.has('uploads') ? s3Error(403, 'AccessDenied') : undefined;
    await expect(store.prune?.(0)).rejects.toThrow('s3:ListBucketMultipartUploads');
  });

  it('whose key may remove nothing can be read beside a damaged blob', async () => {
    const { store, server, log } = openStore();
    const { digest } = await storeBlob(store, layerContent(100));
    server.intervene = (method) => (method === 'DELETE' ? s3Error(403, 'AccessDenied') : undefined);
    expect(await store.read({ digest, size: 101 })).toBeUndefined();
    expect(log.mock.calls).toMatchObject([
      [
        'warn',
        'a stored layer is damaged and cannot be removed',
        {
          digest,
          reason: 'it has 100 bytes, and not 101 bytes',
          error: expect.stringContaining('s3:DeleteObject'),
        },
      ],
    ]);
  });
});
