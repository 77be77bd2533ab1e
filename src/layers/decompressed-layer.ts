import type { Digest } from '../../converters/digest.ts';

/** A layer as it is sent unpacked. */
export interface DecompressedLayer {
  /** As upstream has it. */
  readonly compressed: Digest;
  /** Unpacked: what it is called, and its bytes. */
  readonly digest: Digest;
  readonly size: number;
}
