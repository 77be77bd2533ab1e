import type { Digest, digestAlgorithm } from '../../converters/digest.ts';
import type { FairSemaphore } from '../concurrency/fair-semaphore.ts';
import type { Tails } from './tails.ts';
import type { TakeWindow, WindowBudget } from './windows.ts';
import type { FramePiece, PieceUnit } from './zstd/frame-splitter.ts';

/**
 * What a runtime lends for the streaming of layers: zlib and OpenSSL on Node; on Workers what the platform and
 * small libraries have.
 */
export interface LayerCodec {
  /** Reads gzip of any number of members (RFC 1952, section 2.2); eStargz makes one of each file. */
  gunzip(): GzipDecoder;
  readonly zstd: ZstdCodec;
  hash(algorithm: LayerHashAlgorithm): StreamHash;
}

export interface ZstdCodec {
  /** The largest window that a frame may ask for, in bytes (RFC 8878, section 3.1.1.1.2). */
  readonly windowLimit: number;
  /** A decoder that unpacks a piece at once, and cannot pause in it, must be given no more than blocks. */
  readonly unit: PieceUnit;
  /** Absent where windows are small and a client has a process of its own. */
  readonly limits?: ZstdLimits;
  /** @param take gets memory for each window where windows have a budget. */
  decompress(take: TakeWindow): ZstdDecoder;
}

/** Limits that all zstd streams of a process share. */
export interface ZstdLimits {
  /** Memory for layers on their way to clients. */
  readonly downloads: WindowBudget;
  /** Memory for layers that are read for a conversion, which never waits for a client. */
  readonly conversions: WindowBudget;
  /** Places to decompress bytes that no client gets. */
  readonly skips: FairSemaphore;
  readonly tails: Tails;
  /** How long a request waits for its first window, in milliseconds. */
  readonly patienceMs: number;
  /** How long a client may be slow, in milliseconds. */
  readonly graceMs: number;
}

export interface Decoder<Compressed> {
  /**
   * Unpacks a piece; what it gives must be read to its end before the next piece. It works only as far ahead of
   * its reader as a few hundred KiB. Throws what it likes when the content is broken.
   */
  push(piece: Compressed): AsyncIterable<Uint8Array>;
  /** Lets go of all memory, in the middle of a piece too. */
  close(): void;
}

export interface ZstdDecoder extends Decoder<FramePiece> {
  /** Takes the memory that the piece needs; called before each `push`. */
  prepare(piece: FramePiece): Promise<void> | void;
}

export interface GzipDecoder extends Decoder<Uint8Array> {
  /** Nothing comes any more: gives the rest. Throws when the content is not complete. */
  end(): AsyncIterable<Uint8Array>;
}

export type LayerHashAlgorithm = ReturnType<typeof digestAlgorithm>;

export interface StreamHash {
  /** Must be awaited before the next call. */
  update(bytes: Uint8Array): Promise<void> | void;
  /** To be called once, at the end. A hash that is not wanted any more may just be dropped. */
  digest(): Promise<Digest>;
}
