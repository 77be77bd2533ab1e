import { PerformanceObserver, performance } from 'node:perf_hooks';

/** Processor time of this thread in milliseconds, which other programs of a busy machine do not raise. */
function threadTime(): number {
  // Node 23.9 and later.
  if (process.threadCpuUsage === undefined) return performance.now();
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** One turn of the event loop. */
interface Turn {
  readonly from: number;
  readonly to: number;
  /** Processor time of the thread, in milliseconds. */
  readonly used: number;
}

/**
 * Does work, and measures how long it holds the event loop. The collection of garbage is left out: the engine chooses
 * its time, and the heap of the test runner is much larger than that of the proxy.
 * @returns the processor time of the longest turn of the event loop meanwhile, in milliseconds.
 */
export async function longestTurn(work: () => Promise<unknown>): Promise<number> {
  const turns: Turn[] = [];
  const pauses: { from: number; to: number }[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) {
      pauses.push({ from: startTime, to: startTime + duration });
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  let [from, before, ended] = [performance.now(), threadTime(), false];
  const turn = () => {
    const [to, now] = [performance.now(), threadTime()];
    turns.push({ from, to, used: now - before });
    [from, before] = [to, now];
    if (!ended) setImmediate(turn);
  };
  setImmediate(turn);
  try {
    await work();
    // The turn in which the work ended counts, too, and so do pauses that are still to be reported.
    for (let each = 0; each < 3; each += 1) await new Promise(setImmediate);
  } finally {
    ended = true;
    observer.disconnect();
  }
  const paused = (each: Turn) =>
    pauses
      .filter((pause) => pause.from < each.to && pause.to > each.from)
      .reduce((sum, pause) => sum + Math.min(pause.to, each.to) - Math.max(pause.from, each.from), 0);
  return turns.reduce((longest, each) => Math.max(longest, each.used - paused(each)), 0);
}

const members = Array.from({ length: 120_000 }, (_, index) => [`org.example.key${index}`, `value ${index}`]);
const large = JSON.stringify(Object.fromEntries(members));

/** Milliseconds that `JSON.parse` takes for the document where turns of 50 ms were measured (two shared cores, 2026). */
const usual = 80;

/**
 * The most processor time that one turn may take: 50 ms, and as much more as this machine is slower than the usual one
 * at a known work. The system counts processor time in ticks of 4 ms, so that one is added.
 */
export function mostForOneTurn(): number {
  const times = Array.from({ length: 5 }, () => {
    const before = threadTime();
    JSON.parse(large);
    return threadTime() - before;
  });
  return 50 * Math.max(1, Math.max(...times) / usual) + 4;
}
