import type { MemoryBudget } from '../cache/memory-budget.ts';
import { credentialKey } from '../upstream/auth/credential.ts';
import type { RequestContext } from '../upstream/request-context.ts';

/** Accounts whose pulls upstream counts, as far as its responses tell. */
export interface RateLimits {
  /** Records the headers of each good response for a manifest. */
  record(context: RequestContext, headers: Headers): void;
  /** Whether upstream counts the pulls of this account, or is likely to. */
  countsPulls(context: RequestContext): boolean;
  /** True only if upstream is known not to limit this account: it sent it no limit, or no limit to any account. */
  isUnlimited(context: RequestContext): boolean;
}

/**
 * Docker Hub sends `ratelimit-limit` in each response to an account whose pulls it counts, and not to paying accounts.
 * For an account without a response yet, the last response to any account is the best guess.
 */
export function createRateLimits(memory: MemoryBudget): RateLimits {
  const known = memory.table<boolean>('rate-limits');
  let last: boolean | undefined;
  let everCounted = false;
  const guess = ({ credential }: RequestContext) => known.get(credentialKey(credential)) ?? last;
  return {
    record({ credential }, headers) {
      last = headers.has('ratelimit-limit');
      everCounted ||= last;
      const key = credentialKey(credential);
      if (known.get(key) !== last) known.set(key, last);
    },
    countsPulls: (context) => guess(context) === true,
    isUnlimited: (context) =>
      (everCounted ? known.get(credentialKey(context.credential)) : guess(context)) === false,
  };
}
