import type { Digest } from '../../converters/digest.ts';

/** A layer as it is sent unpacked. */
export interface UnpackedLayer {
  /** As upstream has it. */
  readonly packed: Digest;
  /** Unpacked: what it is called, and its bytes. */
  readonly digest: Digest;
  readonly size: number;
}
