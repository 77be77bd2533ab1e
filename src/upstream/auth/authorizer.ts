import type { LRUCache } from 'lru-cache';
import { createLru } from '../../cache/lru.ts';
import { RegistryError } from '../../errors.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import { basicAuthorization, credentialKey, type StaticCredential } from './credential.ts';
import type { Token, TokenSource } from './token-cache.ts';
import {
  isSameRequest,
  ownScopes,
  type TokenRequest,
  type TokenSubject,
  tokenRequestFor,
} from './token-request.ts';

/** What a request goes out with. */
export interface Authorization {
  readonly authorization: string | undefined;
  readonly token?: Token & { readonly request: TokenRequest };
}

export interface Authorizer {
  /** What to ask with at first: as the last challenge to the like of this request wanted it. */
  authorize(subject: TokenSubject): Promise<Authorization>;
  /**
   * What to ask with once more after a 401, or undefined when no challenge in it can be met.
   * @throws RegistryError as `TokenSource.get` does.
   */
  handleChallenge(
    refusal: Response,
    previous: Authorization,
    subject: TokenSubject,
  ): Promise<Authorization | undefined>;
  /** Upstream has answered 401 to this grant. */
  invalidate(grant: Authorization): void;
  /** Upstream has answered something else than 401 to what `before` gave. */
  confirm(subject: TokenSubject): void;
  /** Whether `before` gives what upstream is known to take, or nothing else is to be had: a body is sent only once. */
  isSettled(subject: TokenSubject): boolean;
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
  const remembered: State['remembered'] = createLru(5000);
  const settled: State['settled'] = createLru(5000);
  const state: State = { tokens, allowAnonymousTokens, remembered, settled, upstreamWantsBasic: false };
  return {
    authorize: (subject) => before(state, subject),
    handleChallenge: (refusal, previous, subject) => {
      const challenges = parseChallenges(refusal.headers.get('www-authenticate') ?? '');
      return after(state, challenges, previous, subject);
    },
    invalidate({ token }) {
      if (token !== undefined) tokens.drop(token.request, token.value);
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

async function before(state: State, subject: TokenSubject): Promise<Authorization> {
  const { credential } = subject;
  if (!mayAskForToken(state, subject)) return plain(state, credential);
  const key = memoryKey(subject);
  const question = state.remembered.get(key);
  if (question === undefined) return plain(state, credential);
  try {
    return await withToken(state, { ...question, credential }, subject);
  } catch (error) {
    // Upstream may let in, or challenge in another way, whom the token server refuses.
    if (!(error instanceof RegistryError) || error.code !== 'UNAUTHORIZED') throw error;
    state.remembered.delete(key);
    return plain(state, credential);
  }
}

/** Bearer goes before Basic where both are offered: the password is then shown to the realm alone. */
async function after(
  state: State,
  challenges: readonly Challenge[],
  previous: Authorization,
  subject: TokenSubject,
): Promise<Authorization | undefined> {
  const { credential } = subject;
  const request = mayAskForToken(state, subject) ? tokenRequestFor(challenges, subject) : undefined;
  if (request === undefined) return basicGrant(state, challenges, previous, credential);
  // A second new token for the same question would be refused like the first.
  if (previous.token?.fresh && isSameRequest(previous.token.request, request)) return undefined;
  const grant = await withToken(state, request, subject);
  const { credential: _, ...question } = request;
  state.remembered.set(memoryKey(subject), question);
  return grant;
}

/** For the proxy's own account: a client's Basic value has been sent already. */
function basicGrant(
  state: State,
  challenges: readonly Challenge[],
  previous: Authorization,
  credential: StaticCredential,
): Authorization | undefined {
  if (credential.kind !== 'service' || !challenges.some(({ scheme }) => scheme === 'basic')) return undefined;
  const authorization = basicAuthorization(credential);
  if (previous.authorization === authorization) return undefined;
  state.upstreamWantsBasic = true;
  return { authorization };
}

async function withToken(state: State, request: TokenRequest, subject: TokenSubject): Promise<Authorization> {
  const token = await state.tokens.get(request, subject.signal, subject.budget);
  return { authorization: `Bearer ${token.value}`, token: { ...token, request } };
}

/** Without a token: a client's value as it came, the proxy's own account only where Basic is wanted. */
function plain(state: State, credential: StaticCredential): Authorization {
  if (credential.kind === 'client') return { authorization: credential.authorization };
  return { authorization: state.upstreamWantsBasic ? basicAuthorization(credential) : undefined };
}

/**
 * A client that has brought a token renews it itself. One without a login may be meant to see the challenge: always
 * at the ping, which names no repository, because that is where clients learn that they may log in.
 */
function mayAskForToken({ allowAnonymousTokens }: State, { credential, repository }: TokenSubject): boolean {
  if (credential.kind === 'none') return allowAnonymousTokens && repository !== undefined;
  return credential.kind === 'identity' || basicAuthorization(credential) !== undefined;
}

/** A client's own token, for which nothing can be had in exchange. */
function isToken(credential: StaticCredential): boolean {
  return credential.kind === 'client' && basicAuthorization(credential) === undefined;
}

function memoryKey(subject: TokenSubject): string {
  return `${credentialKey(subject.credential)} ${subject.repository ?? ''} ${ownScopes(subject).join(' ')}`;
}
