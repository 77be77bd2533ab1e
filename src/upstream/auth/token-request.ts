import type { RepositoryName } from '../../../converters/reference.ts';
import type { Budget } from '../../request/budget.ts';
import { badResponseError } from '../network-errors.ts';
import type { Challenge } from './challenge.ts';
import type { StaticCredential } from './credential.ts';
import { pullScope, subjectOf } from './scope.ts';

/** The part of a request to upstream that its Authorization depends on. */
export interface TokenSubject {
  readonly credential: StaticCredential;
  readonly repository?: RepositoryName;
  /** The scopes that a token must have; without them, the right to pull from the repository. */
  readonly scopes?: readonly string[];
  readonly signal?: AbortSignal | undefined;
  readonly budget?: Budget | undefined;
}

/** A request for a token, by a Bearer challenge and a credential (distribution, "Token Authentication"). */
export interface TokenRequest {
  /** The URL of the token server, as the challenge names it. */
  readonly realm: string;
  readonly service: string | undefined;
  readonly scopes: readonly string[];
  readonly credential: StaticCredential;
  /** The client that wants an identity token, too, for its later requests; its name is for the token server alone. */
  readonly offlineFor?: string | undefined;
}

/**
 * The token request that answers a Bearer challenge. It has the scopes that the request needs and those of the
 * challenge, as containerd does: some registries name no scope in a challenge, or a placeholder, and others know the
 * repository by another name. The right to delete is left to the challenge if it names one for the repository: `delete`
 * for distribution, `push` for Quay, which refuses a scope with `delete` in it.
 * @returns undefined where no challenge is a Bearer challenge with a realm.
 * @throws RegistryError UPSTREAM_ANSWER for a realm that must not get the credential.
 */
export function tokenRequestFor(
  challenges: readonly Challenge[],
  subject: TokenSubject,
): TokenRequest | undefined {
  const bearer = challenges.find(({ scheme, parameters }) => scheme === 'bearer' && parameters.has('realm'));
  const realm = bearer?.parameters.get('realm');
  if (bearer === undefined || realm === undefined) return undefined;
  refuseForeignRealm(realm, subject.credential);
  // Spaces divide scopes (RFC 6749 §3.3).
  const named = (bearer.parameters.get('scope') ?? '').split(' ').filter((scope) => scope !== '');
  const subjects = new Set(named.map(subjectOf));
  const own = ownScopes(subject).filter(
    (scope) => !scope.endsWith(':delete') || !subjects.has(subjectOf(scope)),
  );
  const scopes = [...new Set([...own, ...named])];
  return { realm, service: bearer.parameters.get('service'), scopes, credential: subject.credential };
}

/** The token servers of clouds are at the registry itself, so another one gets no login of a cloud. */
function refuseForeignRealm(realm: string, credential: StaticCredential): void {
  if (credential.kind !== 'service' && credential.kind !== 'identity') return;
  const { origin } = credential;
  if (origin === undefined || URL.parse(realm)?.origin === origin) return;
  const what = "names a token server elsewhere, and the proxy's login is for the registry alone, refused";
  throw badResponseError(new URL(origin), what);
}

/** The scopes that a request needs, as far as they are known before any challenge. */
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

/** The URL of a token request by GET. @throws RegistryError UPSTREAM_ANSWER for a realm that must not be used. */
export function tokenUrl(request: TokenRequest, upstream: URL): URL {
  const url = realmUrl(request, upstream);
  if (request.service !== undefined) url.searchParams.append('service', request.service);
  for (const scope of request.scopes) url.searchParams.append('scope', scope);
  if (request.offlineFor !== undefined) {
    url.searchParams.append('offline_token', 'true');
    url.searchParams.append('client_id', request.offlineFor);
  }
  return url;
}

/** The URL of the realm alone. @throws RegistryError as `tokenUrl`. */
export function realmUrl(request: Pick<TokenRequest, 'realm'>, upstream: URL): URL {
  const url = URL.parse(request.realm) ?? undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    throw badResponseError(upstream, 'names a realm for tokens that is no plain http or https URL');
  }
  if (upstream.protocol === 'https:' && url.protocol === 'http:') {
    throw badResponseError(
      upstream,
      `is asked over https and sends to ${url.host} for tokens over http, refused`,
    );
  }
  url.hash = '';
  return url;
}
