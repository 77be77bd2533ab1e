/** The right to be one of the few that work at once. */
export interface Turn {
  /** Says that the work goes on. */
  touch(): void;
  /** May be called more than once. */
  release(): void;
}

export interface Turns {
  /** Waits in line. */
  take(): Promise<Turn>;
}

export interface TurnsOptions {
  /** How many may work at once. */
  readonly limit: number;
  /** A turn that was not touched for so long is taken away. */
  readonly staleMs: number;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/**
 * A line for a few places. A place is not only given back but also taken away: on Workers the work of a request that
 * ends stops where it is, without a `finally`, and would hold its place for as long as the isolate lives. For the
 * same reason everyone in line looks after the line for himself.
 */
export function createTurns({ limit, staleMs, clock }: TurnsOptions): Turns {
  const lastTouched = new Map<Turn, number>();
  const line: (() => void)[] = [];

  function admit(): void {
    for (const [turn, touched] of lastTouched) if (clock() - touched > staleMs) lastTouched.delete(turn);
    while (lastTouched.size < limit) {
      const next = line.shift();
      if (next === undefined) return;
      next();
    }
  }

  function begin(): Turn {
    const turn: Turn = {
      touch() {
        if (lastTouched.has(turn)) lastTouched.set(turn, clock());
      },
      release() {
        if (lastTouched.delete(turn)) admit();
      },
    };
    lastTouched.set(turn, clock());
    return turn;
  }

  return {
    async take() {
      const { promise, resolve } = Promise.withResolvers<Turn>();
      line.push(() => resolve(begin()));
      admit();
      const watch = setInterval(admit, Math.ceil(staleMs / 4));
      try {
        return await promise;
      } finally {
        clearInterval(watch);
      }
    },
  };
}
