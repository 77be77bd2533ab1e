import { describe, expect, test } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import type { BlobId, BlobStore } from '../../src/layers/store/blob-store.ts';
import { registryTag } from '../../src/layers/store/stored-blobs.ts';
import { bytesOf } from './byte-streams.ts';
import { layerContent } from './layer-content.ts';

const MiB = 2 ** 20;

/** Contents of the sizes at which a store changes its way: none, one piece, more than one part of a multipart upload. */
export const storedContents: readonly Uint8Array[] = [
  new Uint8Array(),
  layerContent(1),
  layerContent(70_000),
  layerContent(11 * MiB + 7),
];

/** Stores a blob in pieces of this size. */
export async function storeBlob(store: BlobStore, bytes: Uint8Array, piece = MiB) {
  const blob = { digest: digestOf(bytes), size: bytes.length };
  const write = await store.write(blob);
  for (let at = 0; at < bytes.length; at += piece) await write.add(bytes.slice(at, at + piece));
  await write.commit(blob);
  write.release?.();
  return blob;
}

async function listOf(store: BlobStore) {
  const all: { readonly digest: string; readonly size: number }[] = [];
  for await (const { digest, size } of store.list?.() ?? []) all.push({ digest, size });
  return all.toSorted((one, other) => one.size - other.size);
}

/**
 * The tests that every store passes.
 * @param open opens an empty store.
 * @param replace writes bytes in the place of a stored blob, past the store.
 */
export function describeBlobStore(
  name: string,
  open: () => Promise<BlobStore>,
  replace: (store: BlobStore, digest: string, bytes: Uint8Array) => Promise<void>,
): void {
  describe(name, () => {
    test.each(storedContents.map((bytes) => ({ size: bytes.length, bytes })))(
      'gives back $size bytes, whole and in parts',
      async ({ bytes, size }) => {
        const store = await open();
        const blob = { digest: digestOf(bytes), size };
        expect(await store.head(blob)).toBeUndefined();
        expect(await store.read(blob)).toBeUndefined();
        await storeBlob(store, bytes);
        expect(await store.head(blob)).toBe(size);
        const read = async (span?: { readonly start: number; readonly end: number }) => {
          const stream = await store.read(blob, span);
          return stream && digestOf(await bytesOf(stream));
        };
        expect(await read()).toBe(blob.digest);
        if (size === 0) return;
        const spans = [
          { start: 0, end: 0 },
          { start: size - 1, end: size - 1 },
          { start: Math.floor(size / 3), end: Math.floor(size / 2) },
        ];
        for (const span of spans) {
          expect(await read(span)).toBe(digestOf(bytes.subarray(span.start, span.end + 1)));
        }
        expect(await listOf(store)).toEqual([blob]);
      },
    );

    test('shows nothing of a blob before its commit, and nothing after an abort', async () => {
      const store = await open();
      const bytes = layerContent(9 * MiB);
      const blob = { digest: digestOf(bytes), size: bytes.length };
      const write = await store.write(blob);
      await write.add(bytes);
      expect(await store.head(blob)).toBeUndefined();
      expect(await store.read(blob)).toBeUndefined();
      await write.abort();
      write.release?.();
      expect(await store.head(blob)).toBeUndefined();
      expect(await listOf(store)).toEqual([]);
    });

    test('commits only the blob that the write was begun for, and only whole', async () => {
      const store = await open();
      const [bytes, other] = [layerContent(300), layerContent(301)];
      const blob = { digest: digestOf(bytes), size: bytes.length };
      const foreign = await store.write(blob);
      const addOther = async () => {
        await foreign.add(other);
        await foreign.commit({ digest: digestOf(other), size: other.length });
      };
      await expect(addOther()).rejects.toThrow();
      await foreign.abort();
      foreign.release?.();
      const short = await store.write(blob);
      await short.add(bytes.subarray(1));
      await expect(short.commit(blob)).rejects.toThrow();
      await short.abort();
      short.release?.();
      expect(await listOf(store)).toEqual([]);
    });

    test('takes the same blob from two writers at once, and again', async () => {
      const store = await open();
      const bytes = layerContent(6 * MiB);
      const blob = { digest: digestOf(bytes), size: bytes.length };
      const writes = await Promise.all([store.write(blob), store.write(blob)]);
      for (const write of writes) await write.add(bytes);
      for (const write of writes) await write.commit(blob);
      for (const write of writes) write.release?.();
      await storeBlob(store, bytes);
      const stream = await store.read(blob);
      expect(stream && digestOf(await bytesOf(stream))).toBe(blob.digest);
      expect(await listOf(store)).toEqual([blob]);
    });

    test('gives no blob of another length than the caller expects, and removes it', async () => {
      const store = await open();
      const bytes = layerContent(5_000);
      const blob = await storeBlob(store, bytes);
      await replace(store, blob.digest, bytes.subarray(0, 4_999));
      expect(await store.read(blob)).toBeUndefined();
      expect(await store.head(blob)).toBeUndefined();
    });

    test('removes a blob, and one that it does not have', async () => {
      const store = await open();
      const blob = await storeBlob(store, layerContent(100));
      await store.delete(blob);
      await store.delete(blob);
      expect(await store.head(blob)).toBeUndefined();
      expect(await store.read(blob)).toBeUndefined();
    });

    test('keeps a copy for each registry, and one of an earlier version without a registry', async () => {
      const store = await open();
      const bytes = layerContent(400);
      const blob = { digest: digestOf(bytes), size: bytes.length };
      const registries = [registryTag('https://one.example'), registryTag('https://two.example'), undefined];
      for (const registry of registries) {
        const own = { ...blob, registry };
        expect([await store.head(own), await store.read(own)]).toEqual([undefined, undefined]);
        const write = await store.write(own);
        await write.add(bytes);
        await write.commit(own);
        write.release?.();
        expect(await store.head(own)).toBe(blob.size);
      }
      const listed: BlobId[] = [];
      for await (const each of store.list?.() ?? []) listed.push(each);
      expect(new Set(listed.map(({ registry }) => registry))).toEqual(new Set(registries));
      const [first, ...others] = listed;
      await store.delete(first ?? blob);
      expect(await store.head(first ?? blob)).toBeUndefined();
      for (const each of others) {
        const stream = await store.read({ ...each, size: blob.size });
        expect(stream && digestOf(await bytesOf(stream))).toBe(blob.digest);
      }
    });

    test('ends a read that its reader leaves', async () => {
      const store = await open();
      const blob = await storeBlob(store, layerContent(3 * MiB));
      const stream = await store.read(blob);
      const reader = stream?.getReader();
      await reader?.read();
      await reader?.cancel();
      expect(await store.head(blob)).toBe(blob.size);
    });
  });
}

/** Further tests, for stores that name a blob at its end. */
export function describeNamingAtEnd(name: string, open: () => Promise<BlobStore>): void {
  describe(name, () => {
    test('stores a blob whose digest is known at its end', async () => {
      const store = await open();
      expect(store.namesAtEnd).toBe(true);
      const bytes = layerContent(11 * MiB);
      const blob = { digest: digestOf(bytes), size: bytes.length };
      const write = await store.write();
      await write.add(bytes);
      await write.commit(blob);
      write.release?.();
      const stream = await store.read(blob);
      expect(stream && digestOf(await bytesOf(stream))).toBe(blob.digest);
      expect(await listOf(store)).toEqual([blob]);
    });
  });
}
