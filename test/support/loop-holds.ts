import { performance } from 'node:perf_hooks';

/** Processor time of this thread in milliseconds, which other programs of a busy machine do not raise. */
function threadTime(): number {
  // Node 23.9 and later.
  if (process.threadCpuUsage === undefined) return performance.now();
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/**
 * Does work, and measures how long it holds the event loop.
 * @returns the processor time of the longest turn of the event loop meanwhile, in milliseconds.
 */
export async function longestTurn(work: () => Promise<unknown>): Promise<number> {
  let [longest, before, ended] = [0, threadTime(), false];
  const turn = () => {
    const now = threadTime();
    longest = Math.max(longest, now - before);
    before = now;
    if (!ended) setImmediate(turn);
  };
  setImmediate(turn);
  try {
    await work();
    // The turn in which the work ended counts, too.
    await new Promise(setImmediate);
  } finally {
    ended = true;
  }
  return longest;
}

const members = Array.from({ length: 120_000 }, (_, index) => [`org.example.key${index}`, `value ${index}`]);
const large = JSON.stringify(Object.fromEntries(members));

/**
 * The most processor time that one turn may take: as much as two times `JSON.parse` of a document of 120,000
 * annotations, some 150 ms on two cores of a shared machine. Most documents take less than 50 ms. Texts of 4 MiB take up
 * to 90, and a page of 180,000 tags 120.
 */
export function mostForOneTurn(): number {
  const times = Array.from({ length: 5 }, () => {
    const before = threadTime();
    JSON.parse(large);
    return threadTime() - before;
  });
  return Math.max(...times) * 2;
}
