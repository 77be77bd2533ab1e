import type { Random } from '../../fuzz/random.ts';
import { type Knowledge, oneOf } from './knowledge.ts';
import type { Repository } from './repository.ts';
import { basicOf } from './users.ts';
import type { Upstream } from './world.ts';

/** The user and the credential of a request. */
export interface Requester {
  readonly user: number | undefined;
  readonly says: number | undefined;
  readonly authorization: string | undefined;
  /** Whether the registry accepts the credential for this repository. */
  readonly isGood: boolean;
}

const nobody: Requester = { user: undefined, says: undefined, authorization: undefined, isGood: true };

/**
 * Chooses a requester. Half of them may read the repository; the others are any user, none, or one with a wrong
 * password.
 */
export function chooseRequester(
  random: Random,
  { users, scheme }: Upstream,
  repository: Repository | undefined,
  knowledge: Knowledge,
): Requester {
  const dice = random.below(100);
  if (dice < 18) return nobody;
  const readers = repository?.now.readers ?? 'everyone';
  const likely =
    dice < 65 && readers !== 'everyone' ? users.filter(({ index }) => readers.has(index)) : users;
  const user = oneOf(random, likely) ?? random.one(users);
  const { index, basic, name } = user;
  if (dice > 95)
    return { user: undefined, says: index, authorization: basicOf(name, 'wrong'), isGood: false };
  if (scheme === 'basic' || random.oneIn(2))
    return { user: index, says: index, authorization: basic, isGood: true };
  const tokens = knowledge.tokens.filter(({ upstream }) => upstream.users === users);
  const token = oneOf(random, tokens.slice(-40));
  if (!token) return { user: index, says: index, authorization: basic, isGood: true };
  // A token opens its owner's repositories for everyone who has it; an expired one, or one of another repository, opens
  // nothing.
  return { user: token.user, says: token.user, authorization: token.value, isGood: false };
}
