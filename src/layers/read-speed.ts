/** The speed at which bytes come, of the last seconds and not of all the time. */
export interface Speedometer {
  /** Begins anew, without bytes. */
  start(): void;
  /** @param bytes that have come so far. */
  note(bytes: number): void;
  /** Bytes in a millisecond; 0 where none came in the last seconds. */
  now(): number;
  /** Whether it has been below 64 KiB a second for some seconds. */
  isLow(): boolean;
}

interface Sample {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly bytes: number;
}

/** The speed is that of the last ten to twenty seconds; after five it says something. */
const windowMs = 10_000;
const meaningfulMs = 5_000;
const lowBytesPerMs = 65.536;

/** @param clock milliseconds since the epoch. */
export function createSpeedometer(clock: () => number): Speedometer {
  let before: Sample = { at: clock(), bytes: 0 };
  let middle = before;
  let bytes = 0;

  function look(): { readonly elapsed: number; readonly speed: number } {
    const now = clock();
    if (now - middle.at >= windowMs) {
      before = middle;
      middle = { at: now, bytes };
    }
    const elapsed = now - before.at;
    return { elapsed, speed: (bytes - before.bytes) / Math.max(1, elapsed) };
  }

  return {
    start() {
      bytes = 0;
      before = { at: clock(), bytes };
      middle = before;
    },
    note(total) {
      look();
      bytes = total;
    },
    now: () => look().speed,
    isLow() {
      const { elapsed, speed } = look();
      return elapsed >= meaningfulMs && speed < lowBytesPerMs;
    },
  };
}
