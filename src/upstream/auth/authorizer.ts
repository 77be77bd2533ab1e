import type { LRUCache } from 'lru-cache';
import { createBounded } from '../../cache/lru.ts';
import { Failure } from '../../errors.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import { basicAuthorization, credentialKey, type Shown } from './credential.ts';
import type { Token, TokenSource } from './token-cache.ts';
import { type Asker, ownScopes, sameQuestion, type TokenRequest, tokenRequestFor } from './token-request.ts';

/** What a request goes out with. */
export interface Grant {
  readonly authorization: string | undefined;
  readonly token?: Token & { readonly request: TokenRequest };
}

export interface Authorizer {
  /** What to ask with at first: as the last challenge to the like of this request wanted it. */
  before(asker: Asker): Promise<Grant>;
  /**
   * What to ask with once more after a 401, or undefined when no challenge in it can be met.
   * @throws Failure as `TokenSource.get` does.
   */
  after(refusal: Response, previous: Grant, asker: Asker): Promise<Grant | undefined>;
  /** Upstream has answered 401 to this grant. */
  refused(grant: Grant): void;
  /** Upstream has answered something else than 401 to what `before` gave. */
  accepted(asker: Asker): void;
  /** Whether `before` gives what upstream is known to take, or nothing else is to be had: a body is sent only once. */
  isSettled(asker: Asker): boolean;
}

interface State {
  readonly tokens: TokenSource;
  readonly allowAnonymousTokens: boolean;
  /** By credential, repository and scopes: what a token server was last asked with success, without the credential. */
  readonly remembered: LRUCache<string, Omit<TokenRequest, 'credential'>>;
  /** By the same key: upstream took what it was asked with. */
  readonly settled: LRUCache<string, true>;
  upstreamWantsBasic: boolean;
}

export function createAuthorizer(tokens: TokenSource, allowAnonymousTokens: boolean): Authorizer {
  const remembered: State['remembered'] = createBounded(5000);
  const settled: State['settled'] = createBounded(5000);
  const state: State = { tokens, allowAnonymousTokens, remembered, settled, upstreamWantsBasic: false };
  return {
    before: (asker) => before(state, asker),
    after: (refusal, previous, asker) => {
      const challenges = parseChallenges(refusal.headers.get('www-authenticate') ?? '');
      return after(state, challenges, previous, asker);
    },
    refused({ token }) {
      if (token !== undefined) tokens.drop(token.request, token.value);
    },
    accepted(asker) {
      settled.set(memoryKey(asker), true);
    },
    isSettled(asker) {
      const key = memoryKey(asker);
      return settled.has(key) || remembered.has(key) || isToken(asker.credential);
    },
  };
}

async function before(state: State, asker: Asker): Promise<Grant> {
  const { credential } = asker;
  if (!mayAskForToken(state, asker)) return plain(state, credential);
  const key = memoryKey(asker);
  const question = state.remembered.get(key);
  if (question === undefined) return plain(state, credential);
  try {
    return await withToken(state, { ...question, credential }, asker);
  } catch (error) {
    // Upstream may let in, or challenge in another way, whom the token server refuses.
    if (!(error instanceof Failure) || error.code !== 'UNAUTHORIZED') throw error;
    state.remembered.delete(key);
    return plain(state, credential);
  }
}

/** Bearer goes before Basic where both are offered: the password is then shown to the realm alone. */
async function after(
  state: State,
  challenges: readonly Challenge[],
  previous: Grant,
  asker: Asker,
): Promise<Grant | undefined> {
  const { credential } = asker;
  const request = mayAskForToken(state, asker) ? tokenRequestFor(challenges, asker) : undefined;
  if (request === undefined) return basicGrant(state, challenges, previous, credential);
  // A second new token for the same question would be refused like the first.
  if (previous.token?.fresh && sameQuestion(previous.token.request, request)) return undefined;
  const grant = await withToken(state, request, asker);
  const { credential: _, ...question } = request;
  state.remembered.set(memoryKey(asker), question);
  return grant;
}

/** For the proxy's own account: a client's Basic value has been sent already. */
function basicGrant(
  state: State,
  challenges: readonly Challenge[],
  previous: Grant,
  credential: Shown,
): Grant | undefined {
  if (credential.kind !== 'service' || !challenges.some(({ scheme }) => scheme === 'basic')) return undefined;
  const authorization = basicAuthorization(credential);
  if (previous.authorization === authorization) return undefined;
  state.upstreamWantsBasic = true;
  return { authorization };
}

async function withToken(state: State, request: TokenRequest, asker: Asker): Promise<Grant> {
  const token = await state.tokens.get(request, asker.signal, asker.budget);
  return { authorization: `Bearer ${token.value}`, token: { ...token, request } };
}

/** Without a token: a client's value as it came, the proxy's own account only where Basic is wanted. */
function plain(state: State, credential: Shown): Grant {
  if (credential.kind === 'client') return { authorization: credential.authorization };
  return { authorization: state.upstreamWantsBasic ? basicAuthorization(credential) : undefined };
}

/**
 * A client that has brought a token renews it itself. One without a login may be meant to see the challenge: always
 * at the ping, which names no repository, because that is where clients learn that they may log in.
 */
function mayAskForToken({ allowAnonymousTokens }: State, { credential, repository }: Asker): boolean {
  if (credential.kind === 'none') return allowAnonymousTokens && repository !== undefined;
  return credential.kind === 'identity' || basicAuthorization(credential) !== undefined;
}

/** A client's own token, for which nothing can be had in exchange. */
function isToken(credential: Shown): boolean {
  return credential.kind === 'client' && basicAuthorization(credential) === undefined;
}

function memoryKey(asker: Asker): string {
  return `${credentialKey(asker.credential)} ${asker.repository ?? ''} ${ownScopes(asker).join(' ')}`;
}
