import { createBounded } from '../cache/lru.ts';
import { Failure } from '../errors.ts';
import type { Caller } from '../upstream/request-context.ts';

/**
 * Counts the searches of a requester that found nothing. Clients ask for digests that they were told, so that
 * searches mostly find them; the exceptions are pushes, mistakes and made-up digests.
 */
export interface SearchAllowance {
  /** Whether the requester, or its address, has used up the searches of this half minute. */
  isUsed(repository: string, caller: Caller): boolean;
  /** Notes a search that found nothing. */
  note(repository: string, caller: Caller): void;
}

/** For how long a digest, or anything else, that was not found is taken not to be there. */
export const negativeMs = 30_000;

/** Searches in vain of a requester in a repository within half a minute. The next ones ask upstream nothing. */
export const mostInVain = 3;

const requesters = 10_000;
/** Logins cost nothing to make up where a registry has none, so that an address has an allowance as well. */
const ofAddress = 4;

/** @param most for each requester and repository within half a minute; an address has four times as many. */
export function createSearchAllowance(most: number, clock: () => number): SearchAllowance {
  const counts = createBounded<string, { readonly since: number; readonly count: number }>(requesters);

  const current = (key: string) => {
    const known = counts.get(key);
    return known && clock() - known.since < negativeMs ? known : { since: clock(), count: 0 };
  };

  function keysOf(repository: string, { requester }: Caller) {
    const { address, login } = requester();
    return [
      { key: `${repository} ${address}`, limit: most * ofAddress },
      { key: `${repository} ${address} ${login}`, limit: most },
    ];
  }

  return {
    isUsed: (repository, caller) =>
      keysOf(repository, caller).some(({ key, limit }) => current(key).count >= limit),
    note(repository, caller) {
      for (const { key } of keysOf(repository, caller)) {
        const { since, count } = current(key);
        counts.set(key, { since, count: count + 1 });
      }
    },
  };
}

export function tooManyInVain(repository: string): Failure {
  const seconds = negativeMs / 1000;
  const message =
    `Too many digests or ids that ${repository} does not have were asked for within ${seconds} s, so regshift does ` +
    `not search for this one now. Try again in ${seconds} s.`;
  return new Failure('OVERLOADED', message, { headers: { 'retry-after': String(seconds) } });
}
