import type { Digest } from '../../converters/digest.ts';
import type { BlobStore } from '../../src/layers/store/blob-store.ts';
import { concatenated, sourceOf } from './byte-streams.ts';

export interface MemoryBlobStore extends BlobStore {
  readonly blobs: Map<Digest, Uint8Array>;
  /** Makes each method fail, or never answer, or reads break off in the middle, while it is set. */
  fault: 'none' | 'error' | 'silence' | 'cut';
  /** The number of writes that were begun. */
  readonly writes: number;
  /** The number of looks for a blob. */
  readonly lookups: number;
}

/** A store in memory that needs the digest of a blob before its first byte, like a bucket. */
export function createMemoryBlobStore(): MemoryBlobStore {
  const blobs = new Map<Digest, Uint8Array>();
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
    async head(digest) {
      lookups += 1;
      await pass();
      return blobs.get(digest)?.length;
    },
    async read({ digest, size }, span) {
      lookups += 1;
      await pass();
      const bytes = blobs.get(digest);
      if (bytes === undefined) return undefined;
      if (bytes.length !== size) {
        blobs.delete(digest);
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
        async commit({ digest, size }) {
          await pass();
          const bytes = concatenated(...pieces);
          if (digest !== expected?.digest || size !== bytes.length) throw new Error('another blob');
          blobs.set(digest, bytes);
        },
        abort: async () => undefined,
      };
    },
    async delete(digest) {
      blobs.delete(digest);
    },
    async *list() {
      for (const [digest, { length: size }] of blobs) yield { digest, size, usedAt: undefined };
    },
  };
  return store;
}
