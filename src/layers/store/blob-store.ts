import type { Digest } from '../../../converters/digest.ts';
import type { ByteSpan } from '../byte-range.ts';

/**
 * A store of whole blobs by registry and digest, outside of memory: a folder, a bucket. It does not decide who may read a
 * blob. A blob can disappear at any time. All methods throw any error where the store does not work: `createQuietStore`
 * keeps errors from clients.
 */
export interface BlobStore {
  /** For logs and metrics. */
  readonly kind: StoreKind;
  /** False for a store that needs the digest of a blob before its first byte. */
  readonly namesAtEnd: boolean;
  /** Whether the bytes of a write can be read before its commit (`BlobWrite.readBack`). */
  readonly readsBack: boolean;
  /** Bytes of the largest blob that the store takes. */
  readonly mostBytes: number;
  /** Writes at the same time: each has parts of its blob in memory, or up to 4 MiB that wait for the store. */
  readonly mostWrites: number;
  /** Whether the store refuses each operation at once, because earlier ones hang. Absent if it never does. */
  readonly isAway?: () => boolean;
  /** Looks whether the store is there, and makes nothing. Absent for a store whose first request tells. */
  readonly look?: () => Promise<StorePlace>;
  /** Bytes of a blob; undefined if the store does not have it. */
  head(blob: BlobId): Promise<number | undefined>;
  /**
   * Opens a blob, whole or in part. A blob with another size is damaged: it is removed.
   * @returns undefined if the store does not have the blob. The stream errors if bytes are missing.
   */
  read(blob: BlobName, span?: ByteSpan): Promise<ReadableStream<Uint8Array> | undefined>;
  /** As `read` of a whole blob, which is no use of it. Absent for a store that notes no uses. */
  inspect?(blob: BlobName): Promise<ReadableStream<Uint8Array> | undefined>;
  /**
   * Begins to write a blob.
   * @param blob undefined if its digest is not known yet (`namesAtEnd`).
   * @param likelySize bytes that a blob without a digest probably has.
   * @throws BlobTooLarge.
   */
  write(blob?: BlobName, likelySize?: number): Promise<BlobWrite>;
  /** Removes a blob. It is no error if there is none. */
  delete(blob: BlobId): Promise<void>;
  /** All blobs, in no order. Absent for a bucket on a runtime that never looks after it. */
  list?(): AsyncIterable<StoredBlob>;
  /**
   * Removes the blobs that were used longest ago, until all have at most `bytes` (by default, as many as the store may
   * have), and what ended writers left behind. Absent for a store whose operator sets rules for that.
   */
  prune?(bytes?: number): Promise<Pruned>;
  /**
   * Ends the writes of a process that ends: waits two seconds at most for blobs that are being made visible, and removes
   * the bytes of all others. Never throws. Absent for a store whose rules remove them.
   */
  end?(): Promise<void>;
}

/**
 * A place for a store: `absent` is one where the first write makes the store, and a problem is the rest of a sentence whose
 * subject is REGSHIFT_STORE (`SettingProblem.message`).
 */
export type StorePlace = 'here' | 'absent' | { readonly problem: string };

/** The blobs that were removed from a store. */
export interface Pruned {
  readonly blobs: number;
  readonly bytes: number;
}

/** The error of a write for a blob that the store never takes, although it works. */
export class BlobTooLarge extends Error {
  override readonly name = 'BlobTooLarge';
}

/** @throws Error if a write of `size` bytes, which was begun for `expected`, is none of this blob. */
export function refuseOtherBlob(blob: BlobName, size: number, expected: BlobName | undefined): void {
  if (blob.size === size && (expected === undefined || expected.digest === blob.digest)) return;
  throw new Error(`${blob.digest} (${blob.size} bytes) is not the blob that was written`);
}

export type StoreKind = 'file' | 'r2' | 's3';

/** A blob by the digest of its bytes, and the registry that gave them: each registry has copies of its own. */
export interface BlobId {
  readonly digest: Digest;
  /** `registryTag`; undefined for a blob that an earlier version stored, which no client gets. */
  readonly registry?: string | undefined;
}

/** A blob, and the number of its bytes. */
export interface BlobName extends BlobId {
  readonly size: number;
}

/** A blob of a list. */
export interface StoredBlob extends BlobName {
  /** When it was last read or written, in milliseconds since the epoch; undefined if the store does not know. */
  readonly usedAt: number | undefined;
}

/** One write. Its caller awaits each method before the next, and hashes the bytes itself (`createFill`). */
export interface BlobWrite {
  /** Takes the next bytes. The caller does not change them afterwards. */
  add(bytes: Uint8Array): Promise<void>;
  /**
   * Makes the blob visible, at once and whole. If the store has the blob already, it stays as it is, or is replaced.
   * @param blob the digest and size that the bytes have.
   * @throws Error if the blob is not the one that `write` was called with.
   */
  commit(blob: BlobName): Promise<void>;
  /** Removes the bytes that were written. Never throws. */
  abort(): Promise<void>;
  /**
   * Reads bytes that were added, before and after `commit`, until `release`.
   * @returns the number of bytes read into `into`: 0 if there are none at this offset.
   */
  readonly readBack?: (from: number, into: Uint8Array) => Promise<number>;
  /** The caller reads back no more. */
  readonly release?: () => void;
}
