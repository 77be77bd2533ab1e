import { budgetSpent, RegistryError } from '../errors.ts';
import { createRequestStats, type RequestStats } from './stats.ts';

/**
 * The number of requests that regshift may make for one client request: to upstream, to token servers and to caches
 * outside memory. Workers abort a request that makes more subrequests than its plan allows, without a response to the
 * client. Requests made once for all clients (for a realm, or for the keys of a JWT issuer) do not count.
 */
export interface Budget {
  /**
   * Takes one request from the budget, before the request is made.
   * @throws RegistryError UNSUPPORTED if none is left.
   */
  spend(): void;
  /** The counts of the requests made, for the log. */
  readonly stats: RequestStats;
}

/** @param limit the number of requests. */
export function createBudget(limit: number, stats: RequestStats = createRequestStats()): Budget {
  let left = limit;
  return {
    stats,
    spend() {
      if (left <= 0) throw spent(limit);
      left -= 1;
    },
  };
}

function spent(limit: number): RegistryError {
  return new RegistryError(
    'UNSUPPORTED',
    `This takes more than ${limit} requests to the registry and to caches, the most that one request may cause here ` +
      '(REGSHIFT_SUBREQUESTS). With REGSHIFT_LISTS=one an index is given as one image, which takes few.',
    { detail: { reason: budgetSpent } },
  );
}
