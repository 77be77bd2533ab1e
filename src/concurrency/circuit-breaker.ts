export interface CircuitOptions {
  /** Asks whether the other side is there: resolves when it is. Called only while it is away. */
  readonly probe: () => Promise<void>;
  /** Called once when it goes away, with why, and once when it is back. */
  readonly onAway: (reason: string) => void;
  readonly onBack: () => void;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/**
 * Keeps work from waiting for something that does not answer. Once it is taken to be away nobody asks it any more
 * but a probe in the background, so that no request pays for finding out.
 */
export interface Circuit {
  isAway(): boolean;
  /** It answered. */
  answered(): void;
  /** It did not answer in time. Three times in a row, and it is taken to be away: one pause is not. */
  late(reason: string): void;
  /** It is certainly not there: the connection broke. */
  lost(reason: string): void;
  /** Something speaks for its being there again: it is probed at once. */
  tryNow(): void;
  /** No more probes. */
  stop(): void;
}

const tolerated = 3;
const firstProbeMs = 1_000;
const longestProbeMs = 30_000;
/** What goes away again this soon after it came back is waited for longer each time, and told of less often. */
const steadyMs = 60_000;

export function createCircuit({ probe, onAway, onBack, clock }: CircuitOptions): Circuit {
  let away = false;
  let inARow = 0;
  let waitMs = firstProbeMs;
  let backAt = Number.NEGATIVE_INFINITY;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let probing = false;
  let stopped = false;

  function goAway(reason: string): void {
    if (away || stopped) return;
    away = true;
    waitMs = clock() - backAt > steadyMs ? firstProbeMs : Math.min(waitMs * 2, longestProbeMs);
    onAway(reason);
    probeLater();
  }

  function probeLater(): void {
    clearTimeout(timer);
    timer = setTimeout(() => void probeNow(), waitMs);
  }

  async function probeNow(): Promise<void> {
    if (!away || probing || stopped) return;
    clearTimeout(timer);
    probing = true;
    const isThere = await probe().then(
      () => true,
      () => false,
    );
    probing = false;
    if (stopped) return;
    if (!isThere) return probeLater();
    away = false;
    inARow = 0;
    backAt = clock();
    onBack();
  }

  return {
    isAway: () => away,
    answered: () => {
      inARow = 0;
    },
    late(reason) {
      inARow += 1;
      if (inARow >= tolerated) goAway(reason);
    },
    lost: goAway,
    tryNow: () => void probeNow(),
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
