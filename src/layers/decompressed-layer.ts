import type { Digest } from '../../converters/digest.ts';

/** A layer that clients get decompressed. */
export interface DecompressedLayer {
  /** The digest of the compressed layer at upstream. */
  readonly compressed: Digest;
  /** The digest of the decompressed layer. */
  readonly digest: Digest;
  /** Decompressed bytes. */
  readonly size: number;
}
