import type { Digest } from '../../converters/digest.ts';
import type { BlobStore } from '../../src/layers/store/blob-store.ts';
import { blobKey, blobOfKey, registryTag } from '../../src/layers/store/stored-blobs.ts';
import { concatenated, sourceOf } from './byte-streams.ts';
import { upstreamUrl } from './upstream-url.ts';

export interface MemoryBlobStore extends BlobStore {
  /** By `blobKey`. */
  readonly blobs: Map<string, Uint8Array>;
  /** Makes each method fail, or never answer, or reads break off in the middle, while it is set. */
  fault: 'none' | 'error' | 'silence' | 'cut';
  /** The number of writes that were begun. */
  readonly writes: number;
  /** The number of looks for a blob. */
  readonly lookups: number;
}

/** The key of a blob that the upstream of `testApp`, or another one, gave. */
export function storedKey(digest: Digest, upstream = upstreamUrl): string {
  return blobKey({ digest, registry: registryTag(upstream) });
}

/** A store in memory that needs the digest of a blob before its first byte, like a bucket. */
export function createMemoryBlobStore(): MemoryBlobStore {
  const blobs = new Map<string, Uint8Array>();
  let writes = 0;
  let lookups = 0;

  async function pass(): Promise<void> {
    if (store.fault === 'error') throw new Error('503 SlowDown');
    if (store.fault === 'silence') await new Promise<void>(() => {});
  }

  const store: MemoryBlobStore = {
    kind: 's3',
    namesAtEnd: false,
    readsBack: false,
    mostWrites: 4,
    mostBytes: Number.POSITIVE_INFINITY,
    blobs,
    fault: 'none',
    get writes() {
      return writes;
    },
    get lookups() {
      return lookups;
    },
    async head(blob) {
      lookups += 1;
      await pass();
      return blobs.get(blobKey(blob))?.length;
    },
    async read(blob, span) {
      lookups += 1;
      await pass();
      const bytes = blobs.get(blobKey(blob));
      if (bytes === undefined) return undefined;
      if (bytes.length !== blob.size) {
        blobs.delete(blobKey(blob));
        return undefined;
      }
      const part = span ? bytes.subarray(span.start, span.end + 1) : bytes;
      if (store.fault !== 'cut') return sourceOf(part, { piece: 65_536 }).stream;
      return sourceOf(part.subarray(0, part.length / 2), { piece: 65_536, after: 'error' }).stream;
    },
    async write(expected) {
      writes += 1;
      await pass();
      const pieces: Uint8Array[] = [];
      return {
        async add(bytes) {
          await pass();
          pieces.push(bytes);
        },
        async commit(blob) {
          await pass();
          const bytes = concatenated(...pieces);
          if (!expected || blobKey(blob) !== blobKey(expected) || blob.size !== bytes.length) {
            throw new Error('another blob');
          }
          blobs.set(blobKey(blob), bytes);
        },
        abort: async () => undefined,
      };
    },
    async delete(blob) {
      blobs.delete(blobKey(blob));
    },
    async *list() {
      for (const [key, { length: size }] of blobs) {
        const blob = blobOfKey(key);
        if (blob) yield { ...blob, size, usedAt: undefined };
      }
    },
  };
  return store;
}
