import { isDeadline, withDeadline } from '../concurrency/deadline.ts';
import type { ZstdLimits } from './codec.ts';
import { createPace, type Pace } from './pace.ts';

/** The window of one decoder of a download. */
export interface DownloadWindow {
  /** Of the client. */
  readonly pace: Pace;
  /** Takes memory as `WindowBudget.take` does, what was reserved first. */
  take(bytes: number, signal: AbortSignal): Promise<() => void>;
  /** Takes memory before the connection to upstream is opened, which is not to be idle for as long as others download. */
  reserve(bytes: number, signal: AbortSignal): Promise<void>;
  /** Gives back what was reserved and not taken. */
  release(): void;
}

export interface DownloadWindowOptions {
  readonly limits: ZstdLimits;
  /** Path in a `FairQueue`. */
  readonly owner: readonly string[];
  /** How often the download has given a window back before: each time, it may keep the next one for longer. */
  readonly giveBacks: number;
  /** Whether the download has a decoder that it could close. */
  readonly isRunning: () => boolean;
  /** Asks the download to close its decoder. */
  readonly giveBack: () => void;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** How long `take` waits, in milliseconds; `undefined` for an answer that has begun, which waits for its turn. */
  readonly patienceMs: () => number | undefined;
  readonly late: () => Error;
  /** Told of each window that the decoder has. */
  readonly onTaken: (bytes: number) => void;
}

/** After so many windows given back, the time for which a download keeps the next one grows no more. */
const mostDoublings = 2;

/** A client that is not slow keeps its window at least this many times as long as a slow one. */
const fastFactor = 4;

export function createDownloadWindow(options: DownloadWindowOptions): DownloadWindow {
  const { limits, owner, clock, giveBacks, isRunning, giveBack, patienceMs, late } = options;
  const graceMs = limits.graceMs * 2 ** Math.min(giveBacks, mostDoublings);
  const pace = createPace(graceMs, clock);
  let takenAt: number | undefined;
  const isOld = () => takenAt !== undefined && clock() - takenAt >= fastFactor * graceMs;
  const holder = { isSlow: pace.isSlow, hasHadItsTime: () => isRunning() && isOld(), giveBack };
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
      const known = reserved;
      if (known !== undefined && bytes <= known.bytes) {
        reserved = undefined;
        onTaken(known.bytes);
        return known.giveBack;
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
