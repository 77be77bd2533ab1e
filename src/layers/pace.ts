/** Bytes a second that a client takes at least while others wait for memory. */
const leastPace = 64 * 1024;

/** How fast a client takes the bytes of a stream. */
export interface Pace {
  /** The stream has given bytes out, and waits for its client. */
  gave(bytes: number): void;
  /** The client asks for more. */
  asked(): void;
  /** Whether the client has taken less than 64 KiB a second lately. */
  isSlow(): boolean;
}

interface Mark {
  readonly time: number;
  readonly given: number;
}

/**
 * Counts only the time in which the stream waits for its client: a client that waits for upstream, for memory or for
 * the decoder is not slow.
 * @param graceMs how long a client must be slow.
 * @param clock milliseconds since the epoch.
 */
export function createPace(graceMs: number, clock: () => number): Pace {
  let given = 0;
  let waited = 0;
  let since: number | undefined;
  const marks: Mark[] = [{ time: 0, given: 0 }];

  const timeNow = () => waited + (since === undefined ? 0 : clock() - since);

  /** Keeps one mark that is older than the grace, and a few that are younger. */
  function mark(): Mark {
    const now = { time: timeNow(), given };
    const last = marks.at(-1);
    if (last === undefined || now.time - last.time >= graceMs / 5) marks.push(now);
    while (marks[1] !== undefined && now.time - marks[1].time >= graceMs) marks.shift();
    return now;
  }

  return {
    gave(bytes) {
      given += bytes;
      since ??= clock();
      mark();
    },
    asked() {
      waited = timeNow();
      since = undefined;
    },
    isSlow() {
      const now = mark();
      const [before] = marks;
      if (since === undefined || before === undefined || now.time - before.time < graceMs) return false;
      return now.given - before.given < (leastPace * (now.time - before.time)) / 1000;
    },
  };
}
