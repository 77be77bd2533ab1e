import type { Digest, digestAlgorithm } from '../../converters/digest.ts';
import type { FairSemaphore } from '../concurrency/fair-semaphore.ts';
import type { TakeWindow, WindowBudget } from './windows.ts';
import type { FramePiece, PieceUnit } from './zstd/frame-splitter.ts';

/**
 * The runtime's decompressors and hashes for layer streams: zlib and OpenSSL on Node, the platform and small
 * libraries on Workers.
 */
export interface LayerCodec {
  /** Decompresses gzip with any number of members (RFC 1952, section 2.2). eStargz makes one member of each file. */
  gunzip(): GzipDecoder;
  readonly zstd: ZstdCodec;
  hash(algorithm: LayerHashAlgorithm): StreamHash;
}

export interface ZstdCodec {
  /** The largest window that a frame may need, in bytes (RFC 8878, section 3.1.1.1.2). */
  readonly windowLimit: number;
  /** The largest piece that the decoder gets. A decoder that cannot pause inside a piece needs `block`. */
  readonly unit: PieceUnit;
  /** Absent in a runtime with small windows and a separate process for each client. */
  readonly limits?: ZstdLimits;
  /** @param take takes memory for each window in a runtime with `limits`. */
  decompress(take: TakeWindow): ZstdDecoder;
}

/** Limits that all zstd streams of a process share. */
export interface ZstdLimits {
  /** Memory for layers that are sent to clients. */
  readonly downloads: WindowBudget;
  /** Memory for layers that are read for a conversion. Such a read never waits for a client. */
  readonly conversions: WindowBudget;
  /** Limits how many streams at once decompress bytes that they then drop. */
  readonly skips: FairSemaphore;
  /** How long a request waits for its first window, in milliseconds. */
  readonly patienceMs: number;
  /** How long a client may be slow before its download gives its window back, in milliseconds. */
  readonly graceMs: number;
}

export interface Decoder<Compressed> {
  /**
   * Decompresses a piece. The caller reads the result to its end before the next `push`. The decoder works at most a
   * few hundred KiB ahead of its reader.
   * @throws any error if the content is broken.
   */
  push(piece: Compressed): AsyncIterable<Uint8Array>;
  /** Frees all memory, even inside a piece. */
  close(): void;
}

export interface ZstdDecoder extends Decoder<FramePiece> {
  /** Takes the memory that the piece needs. Called before each `push`. */
  prepare(piece: FramePiece): Promise<void> | void;
}

export interface GzipDecoder extends Decoder<Uint8Array> {
  /** Ends the input and returns the remaining bytes. @throws if the content is incomplete. */
  end(): AsyncIterable<Uint8Array>;
}

export type LayerHashAlgorithm = ReturnType<typeof digestAlgorithm>;

export interface StreamHash {
  /** The caller awaits the result before the next call. */
  update(bytes: Uint8Array): Promise<void> | void;
  /** Called once, at the end. An unfinished hash needs no clean-up. */
  digest(): Promise<Digest>;
}
