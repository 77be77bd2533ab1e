import type { LayerCodec } from './codec.ts';

/** Limits for a layer on its way to a client. Only zstd has them: layers in gzip go out as they are. */
export interface DownloadLimits {
  /** Takes memory for a window. */
  readonly take: (bytes: number, signal: AbortSignal) => Promise<() => void>;
  /** Whether no client gets the byte at this offset: it is decompressed to be hashed and dropped. */
  readonly skips: (decompressed: number) => boolean;
  /** Waits for a place to decompress such bytes in. */
  readonly place: (signal: AbortSignal) => Promise<() => void>;
  /** Told where frames begin: at such a point a later stream can begin. */
  readonly onFrame: (point: FramePoint) => void;
}

/** Offsets at which a zstd frame begins. */
export interface FramePoint {
  readonly compressed: number;
  readonly decompressed: number;
}

export const firstByte: FramePoint = { compressed: 0, decompressed: 0 };

/** All such layers have one owner: their turns are shared out before (`Turns`). */
const conversionOwner = ['', ''];

/** Conversions have memory of their own, and give every byte that they decompress to somebody. */
export function forConversion({ zstd }: LayerCodec): DownloadLimits {
  return {
    take: async (bytes, signal) =>
      (await zstd.limits?.conversions.take({ bytes, owner: conversionOwner }, signal)) ?? (() => undefined),
    skips: () => false,
    place: async () => () => undefined,
    onFrame: () => undefined,
  };
}
