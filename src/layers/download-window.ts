import type { Clock } from '../clock.ts';
import { isDeadline, withDeadline } from '../concurrency/deadline.ts';
import type { ZstdLimits } from './codec.ts';
import { createPace, type Pace } from './pace.ts';

/** The window of one decoder of a download. */
export interface DownloadWindow {
  /** The pace of the client. */
  readonly pace: Pace;
  /** Takes memory as `WindowBudget.take` does; reserved memory first. */
  take(bytes: number, signal: AbortSignal): Promise<() => void>;
  /** Takes memory before the connection to upstream is opened, so that the connection is not idle during the wait. */
  reserve(bytes: number, signal: AbortSignal): Promise<void>;
  /** Gives back reserved memory that was not taken. */
  release(): void;
}

export interface DownloadWindowOptions {
  readonly limits: ZstdLimits;
  /** Path in a `FairQueue`. */
  readonly owner: readonly string[];
  /** How often the download has given a window back. Each time, it may keep the next window for longer. */
  readonly giveBacks: number;
  /** Whether the download has an open decoder. */
  readonly isRunning: () => boolean;
  /** Makes the download close its decoder. */
  readonly giveBack: () => void;
  readonly clock: Clock;
  /** How long `take` waits, in milliseconds; `undefined` for no limit, once the response has begun. */
  readonly patienceMs: () => number | undefined;
  /** Makes the error for a `take` that has waited too long. */
  readonly late: () => Error;
  /** Called with the size of each window that the decoder takes. */
  readonly onTaken: (bytes: number) => void;
}

/** The time for which a download keeps its window doubles at most this many times. */
const mostDoublings = 2;

/** A fast client keeps its window at least this many times as long as a slow client. */
const fastFactor = 4;

export function createDownloadWindow(options: DownloadWindowOptions): DownloadWindow {
  const { limits, owner, clock, giveBacks, isRunning, giveBack, patienceMs, late } = options;
  const graceMs = limits.graceMs * 2 ** Math.min(giveBacks, mostDoublings);
  const pace = createPace(graceMs, clock);
  let takenAt: number | undefined;
  const isOld = () => takenAt !== undefined && clock() - takenAt >= fastFactor * graceMs;
  const holder = { isSlow: pace.isSlow, isPastMinimum: () => isRunning() && isOld(), giveBack };
  let reserved: { readonly bytes: number; readonly giveBack: () => void } | undefined;

  const takeNow = (bytes: number, signal: AbortSignal) =>
    limits.downloads.take({ bytes, owner, holder }, signal);

  async function takeInTime(bytes: number, signal: AbortSignal): Promise<() => void> {
    const patience = patienceMs();
    if (patience === undefined) return takeNow(bytes, signal);
    return withDeadline(patience, signal, async (wait) => {
      try {
        return await takeNow(bytes, wait);
      } catch (error) {
        throw isDeadline(wait) ? late() : error;
      }
    });
  }

  function onTaken(bytes: number): void {
    takenAt ??= clock();
    options.onTaken(bytes);
  }

  function release(): void {
    reserved?.giveBack();
    reserved = undefined;
  }

  return {
    pace,

    async take(bytes, signal) {
      const reservation = reserved;
      if (reservation !== undefined && bytes <= reservation.bytes) {
        reserved = undefined;
        onTaken(reservation.bytes);
        return reservation.giveBack;
      }
      release();
      const taken = await takeInTime(bytes, signal);
      onTaken(bytes);
      return taken;
    },

    async reserve(bytes, signal) {
      reserved = { bytes, giveBack: await takeNow(bytes, signal) };
    },

    release,
  };
}
