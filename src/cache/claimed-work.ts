import { pause } from '../concurrency/deadline.ts';
import type { Budget } from '../request/budget.ts';
import type { Cache } from './cache.ts';

/** Work whose result all processes that share a cache get out of it. */
export interface ClaimedWork<Result> {
  readonly key: string;
  /** Looks for the result of another process. */
  readonly find: () => Promise<Result | undefined>;
  readonly make: () => Promise<Result>;
  readonly budget: Budget | undefined;
  /** Aborts the wait for another process. */
  readonly signal: AbortSignal;
}

/**
 * The milliseconds between two looks: a conversion takes one to some ten, and two seconds in all are enough, as the other
 * machine or its way to upstream may be the slow one.
 */
const pauses: readonly number[] = [5, 10, 20, 40, ...Array.from({ length: 24 }, () => 80)];

/**
 * Does work that other processes of the fleet may begin at the same moment: one of them does it, and the others wait for
 * its result in the cache that they share. Without such a cache, and where the other process fails or is slow, the work
 * is done here.
 * @throws as `make`; the signal's reason.
 */
export async function doOnce<Result>(
  cache: Pick<Cache, 'claim' | 'release'>,
  { key, find, make, budget, signal }: ClaimedWork<Result>,
): Promise<Result> {
  if (cache.claim === undefined) return make();
  let isOurs = false;
  try {
    for (const milliseconds of [0, ...pauses]) {
      if (milliseconds > 0) await pause(milliseconds, signal);
      // A process ends its claim after its result is in the cache, so the look comes after the claim. A connection keeps
      // the order of both, without a wait between them.
      const claim = cache.claim(key, budget);
      const [, found] = await Promise.allSettled([claim, find()]);
      isOurs = (await claim) === 'claimed';
      if (found.status === 'rejected') throw found.reason;
      if (found.value !== undefined) return found.value;
      if (isOurs) break;
    }
    return await make();
  } finally {
    if (isOurs) cache.release?.(key);
  }
}
