import { budgetSpent, RegistryError } from '../errors.ts';
import { createRequestStats, type RequestStats } from './stats.ts';

/**
 * How many requests of its own the program may make for one request of a client: to upstream, to token servers and
 * to caches that are not in memory. Workers end a request that makes more of them than its plan allows, in the
 * middle and without a word to the client. What is asked once for all clients (a realm, the keys of a JWT issuer)
 * is not counted.
 */
export interface Budget {
  /** To be called before each request. @throws RegistryError UNSUPPORTED once it is spent. */
  spend(): void;
  /** What it was spent on. */
  readonly stats: RequestStats;
}

export function createBudget(most: number, stats: RequestStats = createRequestStats()): Budget {
  let left = most;
  return {
    stats,
    spend() {
      if (left <= 0) throw spent(most);
      left -= 1;
    },
  };
}

function spent(most: number): RegistryError {
  return new RegistryError(
    'UNSUPPORTED',
    `This takes more than ${most} requests to the registry and to caches, the most that one request may cause here ` +
      '(REGSHIFT_SUBREQUESTS). With REGSHIFT_LISTS=one an index is given as one image, which takes few.',
    { detail: { reason: budgetSpent } },
  );
}
