import type { MemoryBudget } from '../cache/memory-budget.ts';
import type { Clock } from '../clock.ts';
import type { Background } from '../concurrency/background.ts';
import { isSpent } from '../errors.ts';
import { credentialKey } from '../upstream/auth/credential.ts';
import { backgroundContext, type RequestContext } from '../upstream/request-context.ts';

export interface BackgroundJobsOptions {
  /** Maximum time of one job, in milliseconds. What it has learned by then is kept. */
  readonly longestMs: number;
  readonly memory: MemoryBudget;
  readonly background: Background;
  readonly clock: Clock;
}

/** Work that a request causes and does not wait for, with the right of that request. */
export interface BackgroundJobs {
  /**
   * Starts a job, unless it runs, as many others run as may, or it failed for this credential a moment ago.
   * @param job gets the right of the request, which is in this job alone and goes with it.
   * @returns a promise of false for a job that is not complete, and is to be tried again later.
   */
  start(key: string, context: RequestContext, job: (context: RequestContext) => Promise<boolean>): void;
}

/** Jobs at once: each holds the credential of its request. */
const mostAtOnce = 4;
/** Time without a new attempt after one has failed, in milliseconds. */
const pauseMs = 60_000;

export function createBackgroundJobs(options: BackgroundJobsOptions): BackgroundJobs {
  const { longestMs, background, clock } = options;
  const pauses = options.memory.table<number>('searches');
  /** The keys of jobs, and when each began. */
  const inProgress = new Map<string, number>();

  /** A runtime may end the work of a request at any time, and no `finally` of it runs (`waitUntil` of Workers: 30 s). */
  function forgetEnded(): void {
    for (const [key, began] of inProgress) if (clock() - began > longestMs) inProgress.delete(key);
  }

  async function run(
    pauseKey: string,
    context: RequestContext,
    job: (context: RequestContext) => Promise<boolean>,
  ): Promise<void> {
    const pause = () => pauses.set(pauseKey, clock() + pauseMs);
    const over = new AbortController();
    const limit = setTimeout(() => over.abort(new Error('a job in the background took too long')), longestMs);
    try {
      if (!(await job({ ...context, signal: over.signal }))) pause();
    } catch (error) {
      // A new request has a new budget.
      if (!isSpent(error)) pause();
    } finally {
      clearTimeout(limit);
      over.abort();
    }
  }

  return {
    start(key, context, job) {
      // A refusal or failure concerns the credential of one request: others try for themselves.
      const pauseKey = `${key} ${credentialKey(context.credential)}`;
      const isPaused = (pauses.get(pauseKey) ?? 0) > clock();
      forgetEnded();
      if (isPaused || inProgress.has(key) || inProgress.size >= mostAtOnce) return;
      const began = clock();
      inProgress.set(key, began);
      const end = () => {
        if (inProgress.get(key) === began) inProgress.delete(key);
      };
      background(run(pauseKey, backgroundContext(context), job).finally(end));
    },
  };
}
