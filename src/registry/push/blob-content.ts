import type { Digest } from '../../../converters/digest.ts';

/** A blob to upload: its bytes are verified on the way, and break off where they are wrong. */
export interface BlobContent {
  readonly digest: Digest;
  readonly size: number;
  readonly stream: ReadableStream<Uint8Array>;
}
