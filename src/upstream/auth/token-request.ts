import type { RepositoryName } from '../../../converters/reference.ts';
import type { Budget } from '../../request/budget.ts';
import { answerError } from '../network-errors.ts';
import type { Challenge } from './challenge.ts';
import type { StaticCredential } from './credential.ts';
import { pullScope, subjectOf } from './scope.ts';

/** The part of a request to upstream that decides about its Authorization. */
export interface TokenSubject {
  readonly credential: StaticCredential;
  readonly repository?: RepositoryName;
  /** What a token must allow; to pull from the repository when not said. */
  readonly scopes?: readonly string[];
  readonly signal?: AbortSignal | undefined;
  readonly budget?: Budget | undefined;
}

/** What a Bearer challenge and a credential ask of a token server (distribution, "Token Authentication"). */
export interface TokenRequest {
  /** As the challenge names it. */
  readonly realm: string;
  readonly service: string | undefined;
  readonly scopes: readonly string[];
  readonly credential: StaticCredential;
}

/**
 * Asks for the right that the request needs, and for what the challenge names beside it, as containerd does: some
 * registries name nothing in it, or a placeholder, and others know the repository by another name. What
 * deleting needs is left to the challenge where it says: `delete` for distribution, `push` for Quay, which refuses a
 * scope with `delete` in it.
 */
export function tokenRequestFor(
  challenges: readonly Challenge[],
  subject: TokenSubject,
): TokenRequest | undefined {
  const bearer = challenges.find(({ scheme, parameters }) => scheme === 'bearer' && parameters.has('realm'));
  const realm = bearer?.parameters.get('realm');
  if (bearer === undefined || realm === undefined) return undefined;
  // RFC 6749 §3.3: scopes are divided by spaces.
  const named = (bearer.parameters.get('scope') ?? '').split(' ').filter((scope) => scope !== '');
  const subjects = new Set(named.map(subjectOf));
  const own = ownScopes(subject).filter(
    (scope) => !scope.endsWith(':delete') || !subjects.has(subjectOf(scope)),
  );
  const scopes = [...new Set([...own, ...named])];
  return { realm, service: bearer.parameters.get('service'), scopes, credential: subject.credential };
}

/** What a request needs, as far as it is known before any challenge. */
export function ownScopes({ scopes, repository }: TokenSubject): readonly string[] {
  return scopes ?? (repository === undefined ? [] : [pullScope(repository)]);
}

export function isSameRequest(one: TokenRequest, other: TokenRequest): boolean {
  return (
    one.realm === other.realm &&
    one.service === other.service &&
    one.scopes.join(' ') === other.scopes.join(' ')
  );
}

/** @throws RegistryError UPSTREAM_ANSWER for a realm that nothing may be sent to. */
export function tokenUrl(request: TokenRequest, upstream: URL): URL {
  const url = realmUrl(request, upstream);
  if (request.service !== undefined) url.searchParams.append('service', request.service);
  for (const scope of request.scopes) url.searchParams.append('scope', scope);
  return url;
}

/** The realm alone. @throws as `tokenUrl` */
export function realmUrl(request: Pick<TokenRequest, 'realm'>, upstream: URL): URL {
  const url = URL.canParse(request.realm) ? new URL(request.realm) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    throw answerError(upstream, 'names a realm for tokens that is no plain http or https URL');
  }
  if (upstream.protocol === 'https:' && url.protocol === 'http:') {
    throw answerError(upstream, `is asked over https and sends to ${url.host} for tokens over http, refused`);
  }
  url.hash = '';
  return url;
}
