/** A place among the few streams that decompress bytes which no client gets. */
export interface SkipTurn {
  /** Waits for a place where the next bytes are such ones; leaves it where they are not. */
  enter(decompressed: number): Promise<void>;
  /** To be called before the stream waits for memory or for upstream: a place is for work. */
  leave(): void;
}

export interface SkipTurnOptions {
  /** Whether no client gets the byte at this offset. */
  readonly skips: (decompressed: number) => boolean;
  readonly place: () => Promise<() => void>;
}

/** After so many bytes, the next one in line has its turn. */
const bytesOfTurn = 2 ** 20;

export function createSkipTurn({ skips, place }: SkipTurnOptions): SkipTurn {
  let leavePlace: (() => void) | undefined;
  let enteredAt = 0;

  function leave(): void {
    leavePlace?.();
    leavePlace = undefined;
  }

  return {
    async enter(decompressed) {
      const isSkipping = skips(decompressed);
      if (isSkipping && leavePlace !== undefined && decompressed - enteredAt < bytesOfTurn) return;
      leave();
      if (!isSkipping) return;
      leavePlace = await place();
      enteredAt = decompressed;
    },
    leave,
  };
}
