import type { MemoryBudget, MemoryTable } from '../../cache/memory-budget.ts';
import { type ErrorCode, hasCode } from '../../errors.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import { basicAuthorization, credentialKey, type StaticCredential } from './credential.ts';
import type { Token, TokenCache } from './token-cache.ts';
import {
  isSameRequest,
  ownScopes,
  type TokenRequest,
  type TokenSubject,
  tokenRequestFor,
} from './token-request.ts';

/** The Authorization that a request is sent with. */
export interface Authorization {
  readonly authorization: string | undefined;
  readonly token?: Token & { readonly request: TokenRequest };
}

export interface Authorizer {
  /** The Authorization of a first attempt: as the last challenge to a request of this kind wanted it. */
  authorize(subject: TokenSubject): Promise<Authorization>;
  /**
   * The Authorization of a second attempt after a 401, or undefined when no challenge of it can be met.
   * @throws RegistryError as `TokenCache.get` does.
   */
  handleChallenge(
    refusal: Response,
    previous: Authorization,
    subject: TokenSubject,
  ): Promise<Authorization | undefined>;
  /** Records that upstream answered 401 to this grant. */
  invalidate(grant: Authorization): void;
  /** Records that upstream answered 401 to a body with the Authorization of `authorize`: it may want another one now. */
  unsettle(subject: TokenSubject): void;
  /** Records that upstream did not answer 401 to the Authorization of `authorize`. */
  confirm(subject: TokenSubject): void;
  /** Whether upstream is known to take the Authorization of `authorize`, or there is no other: a body is sent once. */
  isSettled(subject: TokenSubject): boolean;
}

interface State {
  readonly tokens: TokenCache;
  readonly allowAnonymousTokens: boolean;
  /** The last token request that succeeded, without its credential, by credential, repository and scopes. */
  readonly remembered: MemoryTable<Omit<TokenRequest, 'credential'>>;
  /** The same keys, of requests whose Authorization upstream took. */
  readonly settled: MemoryTable<true>;
  upstreamWantsBasic: boolean;
}

export function createAuthorizer(
  tokens: TokenCache,
  allowAnonymousTokens: boolean,
  memory: MemoryBudget,
): Authorizer {
  const remembered: State['remembered'] = memory.table('tokens');
  const settled: State['settled'] = memory.table('tokens');
  const state: State = { tokens, allowAnonymousTokens, remembered, settled, upstreamWantsBasic: false };
  return {
    authorize: (subject) => authorize(state, subject),
    handleChallenge: (refusal, previous, subject) => {
      const challenges = parseChallenges(refusal.headers.get('www-authenticate') ?? '');
      return answerChallenge(state, challenges, previous, subject);
    },
    invalidate({ token }) {
      if (token !== undefined) tokens.drop(token.request, token.value);
    },
    unsettle(subject) {
      settled.delete(memoryKey(subject));
      remembered.delete(memoryKey(subject));
    },
    confirm(subject) {
      settled.set(memoryKey(subject), true);
    },
    isSettled(subject) {
      const key = memoryKey(subject);
      return settled.has(key) || remembered.has(key) || isToken(subject.credential);
    },
  };
}

async function authorize(state: State, subject: TokenSubject): Promise<Authorization> {
  const { credential } = subject;
  if (!mayAskForToken(state, subject)) return withoutToken(state, credential);
  const key = memoryKey(subject);
  const known = state.remembered.get(key);
  if (known === undefined) return withoutToken(state, credential);
  try {
    return await withToken(state, { ...known, credential }, subject);
  } catch (error) {
    if (!hasCode(error, ...leadsToChallenge)) throw error;
    state.remembered.delete(key);
    // The client has waited for long, so the next request asks for the challenge.
    if (error.code === 'UPSTREAM_TIMEOUT') throw error;
    return withoutToken(state, credential);
  }
}

/**
 * Errors of a remembered token server after which a new challenge is asked for. Upstream may accept, or challenge in
 * another way, a client that the server refuses; and a server that fails may have moved.
 */
const leadsToChallenge: readonly ErrorCode[] = [
  'UNAUTHORIZED',
  'UPSTREAM_ANSWER',
  'UPSTREAM_UNREACHABLE',
  'UPSTREAM_TIMEOUT',
];

/** Bearer goes before Basic where both are offered: only the realm then gets the password. */
async function answerChallenge(
  state: State,
  challenges: readonly Challenge[],
  previous: Authorization,
  subject: TokenSubject,
): Promise<Authorization | undefined> {
  const request = mayAskForToken(state, subject) ? tokenRequestFor(challenges, subject) : undefined;
  if (request === undefined) return basicGrant(state, challenges, previous, subject);
  // Upstream would refuse a second new token for the same request like the first.
  if (previous.token?.fresh && isSameRequest(previous.token.request, request)) return undefined;
  const grant = await withToken(state, request, subject);
  const { credential: _, ...remembered } = request;
  state.remembered.set(memoryKey(subject), remembered);
  return grant;
}

/** Basic, also from an upstream that took tokens before; a login is sent once. */
function basicGrant(
  state: State,
  challenges: readonly Challenge[],
  previous: Authorization,
  subject: TokenSubject,
): Authorization | undefined {
  const authorization = basicAuthorization(subject.credential);
  if (authorization === undefined || !challenges.some(({ scheme }) => scheme === 'basic')) return undefined;
  state.remembered.delete(memoryKey(subject));
  if (previous.authorization === authorization) return undefined;
  if (subject.credential.kind === 'service') state.upstreamWantsBasic = true;
  return { authorization };
}

async function withToken(state: State, request: TokenRequest, subject: TokenSubject): Promise<Authorization> {
  const token = await state.tokens.get(request, subject.signal, subject.budget);
  return { authorization: `Bearer ${token.value}`, token: { ...token, request } };
}

/** An Authorization without a token: a client's value as it came; regshift's own account if upstream wants Basic. */
function withoutToken(state: State, credential: StaticCredential): Authorization {
  if (credential.kind === 'client') return { authorization: credential.authorization };
  return { authorization: state.upstreamWantsBasic ? basicAuthorization(credential) : undefined };
}

/**
 * A client with a token of its own renews it itself. A client without a login gets the challenge at the ping, which
 * names no repository, because clients learn there that they may log in.
 */
function mayAskForToken({ allowAnonymousTokens }: State, { credential, repository }: TokenSubject): boolean {
  if (credential.kind === 'none') return allowAnonymousTokens && repository !== undefined;
  return credential.kind === 'identity' || basicAuthorization(credential) !== undefined;
}

/** Whether the credential is a client's own token, which no token server exchanges. */
function isToken(credential: StaticCredential): boolean {
  return credential.kind === 'client' && basicAuthorization(credential) === undefined;
}

function memoryKey(subject: TokenSubject): string {
  return `${credentialKey(subject.credential)} ${subject.repository ?? ''} ${ownScopes(subject).join(' ')}`;
}
