import type { Clock } from '../clock.ts';

/** While others wait for memory, a client that reads fewer bytes a second is slow. */
const leastPace = 64 * 1024;

/** Measures how fast a client reads a stream. */
export interface Pace {
  /** The stream has handed out bytes, and now waits for its client. */
  delivered(bytes: number): void;
  /** The client reads on. */
  requested(): void;
  /** Whether the client has read less than 64 KiB a second lately. */
  isSlow(): boolean;
}

interface Mark {
  /** Milliseconds for which the stream has waited for its client. */
  readonly time: number;
  readonly deliveredBytes: number;
}

/**
 * Counts only the time in which the stream waits for its client. A client that waits for upstream, for memory or for
 * the decoder is not slow.
 * @param graceMs how long a client must read slowly before it is slow, in milliseconds.
 */
export function createPace(graceMs: number, clock: Clock): Pace {
  let deliveredBytes = 0;
  let waitedMs = 0;
  let waitingSince: number | undefined;
  const marks: Mark[] = [{ time: 0, deliveredBytes: 0 }];

  const timeNow = () => waitedMs + (waitingSince === undefined ? 0 : clock() - waitingSince);

  /** Records the current time and bytes. Keeps one mark that is older than `graceMs`, and a few younger ones. */
  function mark(): Mark {
    const now = { time: timeNow(), deliveredBytes };
    const last = marks.at(-1);
    if (last === undefined || now.time - last.time >= graceMs / 5) marks.push(now);
    while (marks[1] !== undefined && now.time - marks[1].time >= graceMs) marks.shift();
    return now;
  }

  return {
    delivered(bytes) {
      deliveredBytes += bytes;
      waitingSince ??= clock();
      mark();
    },
    requested() {
      waitedMs = timeNow();
      waitingSince = undefined;
    },
    isSlow() {
      const now = mark();
      const [before] = marks;
      if (waitingSince === undefined || before === undefined || now.time - before.time < graceMs)
        return false;
      return now.deliveredBytes - before.deliveredBytes < (leastPace * (now.time - before.time)) / 1000;
    },
  };
}
