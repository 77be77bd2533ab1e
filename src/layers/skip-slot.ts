/** One stream's slot among the few that decompress skipped bytes, which no client gets. */
export interface SkipSlot {
  /** Waits for a slot if the byte at this offset is skipped; otherwise releases the slot. */
  enter(decompressed: number): Promise<void>;
  /** Called before the stream waits for memory or for upstream, so that no slot is idle. */
  release(): void;
}

export interface SkipSlotOptions {
  /** Whether no client gets the byte at this offset. */
  readonly isSkipped: (decompressed: number) => boolean;
  /** Waits for a slot. @returns a function that releases it. */
  readonly acquire: () => Promise<() => void>;
}

/** After this many bytes, the stream goes to the end of the line. */
const bytesPerSlot = 2 ** 20;

export function createSkipSlot({ isSkipped, acquire }: SkipSlotOptions): SkipSlot {
  let releaseSlot: (() => void) | undefined;
  let enteredAt = 0;

  function release(): void {
    releaseSlot?.();
    releaseSlot = undefined;
  }

  return {
    async enter(decompressed) {
      const isSkipping = isSkipped(decompressed);
      if (isSkipping && releaseSlot !== undefined && decompressed - enteredAt < bytesPerSlot) return;
      release();
      if (!isSkipping) return;
      releaseSlot = await acquire();
      enteredAt = decompressed;
    },
    release,
  };
}
