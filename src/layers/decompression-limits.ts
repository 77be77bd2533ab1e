import { broken } from './corrupt-layer.ts';

export interface UnpackLimits {
  /** The most bytes that a layer may unpack to (`REGSHIFT_LAYER_BYTES`); `Infinity` for no such limit. */
  readonly bytes: number;
  /**
   * From `bombBytes` of output on, more than `bombRatio` bytes for each packed one are taken for an attack. Up to
   * there a ratio says little: a sparse log file of the 2010s packs a thousand to one, and is a real layer.
   */
  readonly bombBytes: number;
  readonly bombRatio: number;
}

/** Deflate cannot give more than 1032 for one, zstd 32768; real file systems stay below ten. */
export const defaultUnpackLimits: UnpackLimits = {
  bytes: Number.POSITIVE_INFINITY,
  bombBytes: 2 ** 31,
  bombRatio: 250,
};

export interface Guard {
  packed(bytes: Uint8Array): void;
  /** @throws Failure UPSTREAM_CONTENT when this is too much. */
  unpacked(bytes: Uint8Array): void;
}

export function createGuard(limits: UnpackLimits, what: string): Guard {
  let packed = 0;
  let unpacked = 0;
  return {
    packed(bytes) {
      packed += bytes.length;
    },
    unpacked(bytes) {
      unpacked += bytes.length;
      if (unpacked > limits.bytes) {
        throw broken(
          'too-large',
          what,
          `unpacks to more than ${limits.bytes} bytes, the most that is unpacked here (REGSHIFT_LAYER_BYTES).`,
        );
      }
      if (unpacked > limits.bombBytes && unpacked > packed * limits.bombRatio) {
        throw broken(
          'bomb',
          what,
          `has unpacked to ${unpacked} bytes out of ${packed}: that is a decompression bomb, or of no use.`,
        );
      }
    },
  };
}
