import type { Reference } from '../../converters/reference.ts';
import type { MemoryBudget } from '../cache/memory-budget.ts';
import type { Clock } from '../clock.ts';
import { credentialKey } from '../upstream/auth/credential.ts';
import { hasStatus } from '../upstream/error-response.ts';
import type { RequestContext } from '../upstream/request-context.ts';
import type { Purpose } from '../upstream/resolution.ts';

/**
 * Whether one upstream's refusals of `HEAD` of a manifest are believed. Some registries, and gateways in front of them,
 * refuse each HEAD and answer the same GET with 200, so that a HEAD alone tells nothing until upstream has answered one
 * with 200. Docker asks again by GET after each error (distribution, registry/client/repository.go, `tags.Get`).
 */
export interface HeadRefusals {
  /** Records that upstream has answered a HEAD with 200: from then on, its refusals are believed. */
  answered(): void;
  /** Records that upstream has answered a GET with 200 whose HEAD it had refused. */
  contradicted(): void;
  /** Records that upstream has refused a login by GET, too. */
  confirmed(error: unknown, context: RequestContext): void;
  /** Whether upstream has answered no HEAD with 200 yet. */
  readonly areDoubtful: boolean;
  /** Whether the GET of a client is to be asked by GET after this error of a HEAD. */
  doubts(error: unknown, reference: Reference, purpose: Purpose, context: RequestContext): boolean;
}

/** A 429 and the errors of an upstream that is away are believed: a GET may count, and would add to the load. */
const doubtful = [400, 401, 403, 404, 500, 501];

/** Milliseconds for which a login that upstream has refused by HEAD and by GET is not sent by both again. */
const refusedLoginMs = 300_000;

export function createHeadRefusals(memory: MemoryBudget, clock: Clock): HeadRefusals {
  let known: 'answered' | 'contradicted' | undefined;
  /** Registries lock accounts after several wrong logins (Artifactory, "User Account Locking"). */
  const refusedLogins = memory.table<number>('access-grants');
  const isRefusedLogin = ({ credential }: RequestContext) => {
    const at = credential.kind === 'none' ? undefined : refusedLogins.get(credentialKey(credential));
    return at !== undefined && clock() - at < refusedLoginMs;
  };
  return {
    get areDoubtful() {
      return known !== 'answered';
    },
    answered() {
      known = 'answered';
    },
    contradicted() {
      known ??= 'contradicted';
    },
    confirmed(error, context) {
      if (context.credential.kind === 'none' || !hasStatus(error, 401) || isRefusedLogin(context)) return;
      refusedLogins.set(credentialKey(context.credential), clock());
    },
    doubts(error, reference, purpose, context) {
      if (known === 'answered' || !doubtful.some((status) => hasStatus(error, status))) return false;
      if (hasStatus(error, 401) && isRefusedLogin(context)) return false;
      // Docker Hub counts a GET. Most digests that upstream does not have are found by a search, which asks by HEAD.
      const isSearched = reference.kind === 'digest' && hasStatus(error, 404) && known === undefined;
      return purpose === 'to confirm' || (purpose === 'to send' && !isSearched);
    },
  };
}
