import { corruptLayer } from './corrupt-layer.ts';

export interface DecompressionLimits {
  /** Maximum number of bytes of a decompressed layer (`REGSHIFT_LAYER_BYTES`); `Infinity` for no limit. */
  readonly bytes: number;
  /**
   * Beyond `bombBytes` of output, more than `bombRatio` decompressed bytes for one compressed byte count as an attack.
   * Below that, the ratio says little: a sparse log file of the 2010s compresses a thousand to one in a real layer.
   */
  readonly bombBytes: number;
  readonly bombRatio: number;
  /** The way to read a larger layer, for the message. */
  readonly beyond?: string | undefined;
}

/** One compressed byte becomes at most 1032 bytes with deflate and 32768 with zstd; below ten in real file systems. */
export const defaultDecompressionLimits: DecompressionLimits = {
  bytes: Number.POSITIVE_INFINITY,
  bombBytes: 2 ** 31,
  bombRatio: 250,
};

export interface DecompressionGuard {
  compressed(bytes: Uint8Array): void;
  /** @throws RegistryError UPSTREAM_CONTENT beyond the limits. */
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
          `unpacks to more than ${limits.bytes} bytes, the most that is unpacked here (REGSHIFT_LAYER_BYTES).${limits.beyond ?? ''}`,
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
