import type { RepositoryName } from '../../converters/reference.ts';
import type { ClientAuth } from '../auth/client-auth.ts';
import type { TokenRelay } from '../auth/token-relay.ts';
import type { UpstreamLogin } from '../auth/upstream-auth.ts';
import { createV1Session, type V1Session } from '../client-state/v1-session.ts';
import { RegistryError } from '../errors.ts';
import type { KnownClient } from '../negotiation/known-clients.ts';
import type { Log } from '../observability/log.ts';
import type { ClientRequest } from '../registry/client-request.ts';
import type { ClientPolicy } from '../registry/client-rules.ts';
import { createRegistry, type Registry, type RegistryOptions } from '../registry/registry.ts';
import { withClientNames } from '../routing/repository-names.ts';
import type { Routable, VirtualHost } from '../routing/virtual-hosts.ts';
import { createExplainRefusal, type ExplainRefusal } from './challenge.ts';
import { quoted } from './quoted.ts';

export interface RouteOptions extends RegistryOptions, ClientPolicy {
  /** The credential of requests to upstream, or `passthrough` for the client's own. */
  readonly login: UpstreamLogin;
  /** undefined: the proxy lets in every client. The same for all routes of one host. */
  readonly clientAuth: ClientAuth | undefined;
  /** undefined: clients ask the token server of upstream themselves. */
  readonly tokenRelay: TokenRelay | undefined;
  /** The address that clients reach the route at; undefined where the request tells it. */
  readonly publicUrl: URL | undefined;
  /** Passes the registry's CORS headers and preflights on to web pages. */
  readonly passesCors: boolean;
  readonly log: Log;
  /** Called when a registry has answered 401 to a request by the account of the proxy. */
  readonly onAccountRefused: () => void;
  /** The generations of clients that images are made for ahead. */
  readonly warm: readonly KnownClient[];
}

/** One registry as clients reach it: rules that select it, who may use it, and the credential for upstream. */
export interface Route extends Routable, ClientPolicy {
  readonly id: string;
  readonly registry: Registry;
  readonly v1Session: V1Session;
  readonly log: Log;
  readonly login: UpstreamLogin;
  readonly clientAuth: ClientAuth | undefined;
  readonly tokenRelay: TokenRelay | undefined;
  readonly explainRefusal: ExplainRefusal;
  readonly publicUrl: URL | undefined;
  readonly passesCors: boolean;
  /** The generations of clients that images are made for ahead. */
  readonly warm: readonly KnownClient[];
}

export function createRoute(options: RouteOptions): Route {
  const { id, match, login, clientAuth, tokenRelay, publicUrl, passesCors, wallClock, log } = options;
  const { clientRules, tagLimits } = options;
  const registry = createRegistry(options);
  return {
    id,
    match,
    repositoryNames: registry.repositoryNames,
    registry,
    v1Session: createV1Session({ keys: options.stateKeys, route: id, wallClock }),
    log,
    login,
    clientAuth,
    tokenRelay,
    explainRefusal: createExplainRefusal(login, tokenRelay, log, options.onAccountRefused),
    publicUrl,
    passesCors,
    warm: options.warm,
    clientRules,
    tagLimits,
  };
}

/** An error as the client of a route reads it: with the client's name of the repository, and a challenge to meet. */
export async function explainError(route: Route, request: ClientRequest, thrown: unknown): Promise<unknown> {
  const error = await route.explainRefusal(thrown, request);
  if (!(error instanceof RegistryError)) return error;
  const message = withClientNames(error.message, request.repository);
  if (message === error.message) return error;
  const { code, cause, headers, detail } = error;
  return new RegistryError(code, message, { cause, headers, detail });
}

/**
 * The name that lists have for a repository of a route. @returns undefined if the route does not serve it, or if
 * the name leads to another repository: a closer route may have the name.
 */
export function listedName(
  { find }: VirtualHost<Route>,
  route: Route,
  repository: RepositoryName,
): RepositoryName | undefined {
  const { registry, repositoryNames } = route;
  const name = registry.serves(repository) ? repositoryNames.toClient(repository) : undefined;
  const found = name && find({ name, ns: undefined });
  return found?.route === route && found.mapping.upstream === repository ? name : undefined;
}

/** @param name the repository as the client wrote it. */
export function unknownRepository(name: string): RegistryError {
  return new RegistryError(
    'NAME_UNKNOWN',
    `No route of this proxy leads to the repository ${quoted(name, 300)} from here.`,
  );
}
