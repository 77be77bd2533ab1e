import type { LeaseOwner } from '../concurrency/lease-semaphore.ts';

/** A compressed layer from upstream. */
export interface CompressedLayer {
  readonly stream: ReadableStream<Uint8Array>;
  /** The Content-Length, if there is one. */
  readonly size?: number;
}

/**
 * Opens a layer with the access of one request. The signal aborts the stream until its last byte. After a broken
 * connection, `onSkipped` is called with the number of bytes that are read once more.
 */
export type OpenLayer = (signal: AbortSignal, onSkipped: (bytes: number) => void) => Promise<CompressedLayer>;

/** The repository and the credential of a request to upstream. */
export interface LayerAccess {
  readonly repository: string;
  /** From `credentialKey`. */
  readonly credential: string;
}

/** A request for the facts of a layer. */
export interface LayerRequest {
  readonly open: OpenLayer;
  readonly access: LayerAccess;
  /** The owner of the read's lease. */
  readonly owner: LeaseOwner;
  /** Maximum number of compressed bytes; a larger layer contradicts the request's manifest. */
  readonly maxSize?: number;
  /** Bytes of the decompressed layer, if they are known. */
  readonly decompressedSize?: number;
}
