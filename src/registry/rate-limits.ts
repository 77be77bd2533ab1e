import { createBounded } from '../cache/lru.ts';
import { credentialKey } from '../upstream/auth/credential.ts';
import type { Caller } from '../upstream/request-context.ts';

/** Whose pulls upstream counts, as far as its answers have said. */
export interface PullMeter {
  /** To be told of each good answer to the question for a manifest. */
  note(caller: Caller, answer: Headers): void;
  counts(caller: Caller): boolean;
  /** Not only not known to count: upstream has told this caller of no limit, or nobody of one. */
  isFree(caller: Caller): boolean;
}

const logins = 2_000;

/**
 * Docker Hub tells those whose pulls it counts in each answer (`ratelimit-limit`), and paying accounts nothing. Of a
 * caller that has not been answered yet, the last answer to anyone is the best guess.
 */
export function createPullMeter(): PullMeter {
  const known = createBounded<string, boolean>(logins);
  let last: boolean | undefined;
  let everCounted = false;
  const guess = ({ credential }: Caller) => known.get(credentialKey(credential)) ?? last;
  return {
    note({ credential }, answer) {
      last = answer.has('ratelimit-limit');
      everCounted ||= last;
      known.set(credentialKey(credential), last);
    },
    counts: (caller) => guess(caller) === true,
    isFree: (caller) => (everCounted ? known.get(credentialKey(caller.credential)) : guess(caller)) === false,
  };
}
