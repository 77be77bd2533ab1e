import type { LayerCodec } from './codec.ts';

/** Limits for a layer that is sent to a client. They apply to zstd only: gzip layers are sent unchanged. */
export interface DownloadLimits {
  /** Takes memory for a window. @returns a function that gives the memory back. */
  readonly take: (bytes: number, signal: AbortSignal) => Promise<() => void>;
  /** Whether the byte at this offset is only hashed and dropped, because no client gets it. */
  readonly isSkipped: (decompressed: number) => boolean;
  /** Waits for a slot to decompress skipped bytes. @returns a function that releases the slot. */
  readonly acquireSkipSlot: (signal: AbortSignal) => Promise<() => void>;
  /** Called at the start of each frame. A later stream can begin there. */
  readonly onFrame: (point: FramePoint) => void;
}

/** The offsets of the start of a zstd frame. */
export interface FramePoint {
  readonly compressed: number;
  readonly decompressed: number;
}

export const firstByte: FramePoint = { compressed: 0, decompressed: 0 };

/** The common owner of all conversions. Their leases (`LeaseSemaphore`) are already shared fairly. */
const conversionOwner = ['', ''];

/** Limits for a layer that is read for a conversion: a separate window budget, and no skipped bytes. */
export function forConversion({ zstd }: LayerCodec): DownloadLimits {
  return {
    take: async (bytes, signal) =>
      (await zstd.limits?.conversions.take({ bytes, owner: conversionOwner }, signal)) ?? (() => undefined),
    isSkipped: () => false,
    acquireSkipSlot: async () => () => undefined,
    onFrame: () => undefined,
  };
}
