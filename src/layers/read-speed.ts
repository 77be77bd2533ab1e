import type { Clock } from '../clock.ts';

/** Measures the speed of a read over the last seconds. */
export interface Speedometer {
  /** Starts over with 0 bytes. */
  start(): void;
  /** @param bytes read so far. */
  note(bytes: number): void;
  /** Bytes per millisecond; 0 if none came in the last seconds. */
  now(): number;
  /** Whether the speed has been below 64 KiB a second for some seconds. */
  isLow(): boolean;
}

interface Sample {
  /** By the clock. */
  readonly at: number;
  readonly bytes: number;
}

/** The speed is measured over the last ten to twenty seconds, and is meaningful after five. */
const windowMs = 10_000;
const meaningfulMs = 5_000;
const lowBytesPerMs = 65.536;

export function createSpeedometer(clock: Clock): Speedometer {
  let before: Sample = { at: clock(), bytes: 0 };
  let middle = before;
  let bytes = 0;

  function measure(): { readonly elapsed: number; readonly speed: number } {
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
      measure();
      bytes = total;
    },
    now: () => measure().speed,
    isLow() {
      const { elapsed, speed } = measure();
      return elapsed >= meaningfulMs && speed < lowBytesPerMs;
    },
  };
}
