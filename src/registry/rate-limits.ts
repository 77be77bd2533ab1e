import { createLru } from '../cache/lru.ts';
import { credentialKey } from '../upstream/auth/credential.ts';
import type { RequestContext } from '../upstream/request-context.ts';

/** Whose pulls upstream counts, as far as its answers have said. */
export interface RateLimits {
  /** To be told of each good answer to the question for a manifest. */
  record(context: RequestContext, answer: Headers): void;
  countsPulls(context: RequestContext): boolean;
  /** Not only not known to count: upstream has told this caller of no limit, or nobody of one. */
  isUnlimited(context: RequestContext): boolean;
}

const logins = 2_000;

/**
 * Docker Hub tells those whose pulls it counts in each answer (`ratelimit-limit`), and paying accounts nothing. Of a
 * caller that has not been answered yet, the last answer to anyone is the best guess.
 */
export function createRateLimits(): RateLimits {
  const known = createLru<string, boolean>(logins);
  let last: boolean | undefined;
  let everCounted = false;
  const guess = ({ credential }: RequestContext) => known.get(credentialKey(credential)) ?? last;
  return {
    record({ credential }, answer) {
      last = answer.has('ratelimit-limit');
      everCounted ||= last;
      known.set(credentialKey(credential), last);
    },
    countsPulls: (context) => guess(context) === true,
    isUnlimited: (context) =>
      (everCounted ? known.get(credentialKey(context.credential)) : guess(context)) === false,
  };
}
