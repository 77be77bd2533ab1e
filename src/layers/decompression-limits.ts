import { corruptLayer } from './corrupt-layer.ts';

export interface DecompressionLimits {
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
export const defaultDecompressionLimits: DecompressionLimits = {
  bytes: Number.POSITIVE_INFINITY,
  bombBytes: 2 ** 31,
  bombRatio: 250,
};

export interface DecompressionGuard {
  compressed(bytes: Uint8Array): void;
  /** @throws RegistryError UPSTREAM_CONTENT when this is too much. */
  decompressed(bytes: Uint8Array): void;
}

export function createDecompressionGuard(limits: DecompressionLimits, what: string): DecompressionGuard {
  let compressed = 0;
  let decompressed = 0;
  return {
    compressed(bytes) {
      compressed += bytes.length;
    },
    decompressed(bytes) {
      decompressed += bytes.length;
      if (decompressed > limits.bytes) {
        throw corruptLayer(
          'too-large',
          what,
          `unpacks to more than ${limits.bytes} bytes, the most that is unpacked here (REGSHIFT_LAYER_BYTES).`,
        );
      }
      if (decompressed > limits.bombBytes && decompressed > compressed * limits.bombRatio) {
        throw corruptLayer(
          'bomb',
          what,
          `has unpacked to ${decompressed} bytes out of ${compressed}: that is a decompression bomb, or of no use.`,
        );
      }
    },
  };
}
