import type { MemoryBudget } from '../cache/memory-budget.ts';
import type { Clock } from '../clock.ts';
import { RegistryError } from '../errors.ts';
import type { RequestContext } from '../upstream/request-context.ts';

/**
 * Counts the searches of a requester that found nothing. Clients request digests that they got from a manifest, so
 * searches mostly find them; the exceptions are pushes, mistakes and made-up digests.
 */
export interface SearchAllowance {
  /** Whether the requester, or its address, has used up its failed searches of this half minute. */
  isUsed(repository: string, context: RequestContext): boolean;
  /** Notes a search that found nothing. */
  note(repository: string, context: RequestContext): void;
}

/** Milliseconds for which a digest or tag that was not found is taken as absent. */
export const negativeMs = 30_000;

/** Failed searches of a requester in a repository within half a minute. Further ones send no request to upstream. */
export const maxFailedSearches = 3;

/** Where a registry has no logins, made-up ones cost nothing, so an address has an allowance as well. */
const ofAddress = 4;

/** @param most for each requester and repository within half a minute; an address has four times as many. */
export function createSearchAllowance(most: number, clock: Clock, memory: MemoryBudget): SearchAllowance {
  const counts = memory.table<{ readonly since: number; readonly count: number }>('searches');

  const current = (key: string) => {
    const known = counts.get(key);
    return known && clock() - known.since < negativeMs ? known : { since: clock(), count: 0 };
  };

  function keysOf(repository: string, { requester }: RequestContext) {
    const { address, login } = requester();
    return [
      { key: `${repository} ${address}`, limit: most * ofAddress },
      { key: `${repository} ${address} ${login}`, limit: most },
    ];
  }

  return {
    isUsed: (repository, context) =>
      keysOf(repository, context).some(({ key, limit }) => current(key).count >= limit),
    note(repository, context) {
      for (const { key } of keysOf(repository, context)) {
        const { since, count } = current(key);
        counts.set(key, { since, count: count + 1 });
      }
    },
  };
}

export function tooManyFailedSearches(repository: string): RegistryError {
  const seconds = negativeMs / 1000;
  const message =
    `Too many digests or ids that ${repository} does not have were asked for within ${seconds} s, so regshift does ` +
    `not search for this one now. Try again in ${seconds} s.`;
  return new RegistryError('OVERLOADED', message, { headers: { 'retry-after': String(seconds) } });
}
