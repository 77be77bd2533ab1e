import type { Clock } from '../clock.ts';
import type { Background } from './background.ts';
import { withDeadline } from './deadline.ts';

export interface JobQueueOptions<Job> {
  /** Maximum number of jobs that wait. */
  readonly mostWaiting: number;
  /** Maximum number of jobs at once. */
  readonly mostAtOnce: number;
  /** Maximum time of one job, in milliseconds. */
  readonly longestMs: number;
  /** Time of all jobs that one call of `add` may run, in milliseconds: on Workers, work ends soon after its request. */
  readonly runnerMs: number;
  readonly clock: Clock;
  readonly background: Background;
  /** Called when the number of waiting jobs changes. */
  readonly onLength: (length: number) => void;
  /**
   * Makes the function that runs jobs one after the other, for one call of `add`. It returns false if it can run no
   * more of them.
   */
  readonly createRunner: () => (job: Job, signal: AbortSignal) => Promise<boolean>;
}

/** Jobs that wait for their turn, in the order in which they came. */
export interface JobQueue<Job> {
  /**
   * Adds a job, and begins to run jobs. A job replaces a waiting one with its key, in that one's place.
   * @returns undefined if there is no room.
   */
  add(key: string, job: Job): 'begun' | 'waiting' | undefined;
}

/**
 * A bounded queue whose jobs run in the background of the request that adds one. A request runs jobs of others too,
 * because a job is plain data.
 */
export function createJobQueue<Job>(options: JobQueueOptions<Job>): JobQueue<Job> {
  const { mostWaiting, mostAtOnce, longestMs, runnerMs, clock, background, onLength } = options;
  const waiting = new Map<string, Job>();
  /** By runner: when its current job began. */
  const runners = new Map<object, number>();

  function next(): Job | undefined {
    const [first] = waiting;
    if (first === undefined) return undefined;
    waiting.delete(first[0]);
    onLength(waiting.size);
    return first[1];
  }

  async function run(runner: object): Promise<void> {
    const until = clock() + runnerMs;
    const runJob = options.createRunner();
    try {
      for (let isGoing = true; isGoing && clock() < until; ) {
        const job = next();
        if (job === undefined) return;
        runners.set(runner, clock());
        const milliseconds = Math.min(longestMs, until - clock());
        isGoing = await withDeadline(milliseconds, undefined, (signal) => runJob(job, signal));
      }
    } finally {
      runners.delete(runner);
    }
  }

  /** On Workers, a request that ends may stop its runner without its `finally`. */
  function forgetEnded(): void {
    for (const [runner, since] of runners) if (clock() - since > 2 * longestMs) runners.delete(runner);
  }

  return {
    add(key, job) {
      if (!waiting.has(key) && waiting.size >= mostWaiting) return undefined;
      waiting.set(key, job);
      onLength(waiting.size);
      forgetEnded();
      if (runners.size < mostAtOnce) {
        const runner = {};
        runners.set(runner, clock());
        background(run(runner));
      }
      return waiting.has(key) ? 'waiting' : 'begun';
    },
  };
}
