import type { ClientAuth } from '../auth/client-auth.ts';
import type { TokenRelay } from '../auth/token-relay.ts';
import type { UpstreamLogin } from '../auth/upstream-auth.ts';
import { createV1Session, type V1Session } from '../client-state/v1-session.ts';
import { RegistryError } from '../errors.ts';
import type { Log } from '../observability/log.ts';
import { type ClientRequest, withCredentialOf } from '../registry/client-request.ts';
import { createRegistry, type Registry, type RegistryOptions } from '../registry/registry.ts';
import { createRegistryV1, type RegistryV1 } from '../registry/v1/registry-v1.ts';
import { type RepositoryMapping, withClientNames } from '../routing/repository-names.ts';
import type { Routable } from '../routing/virtual-hosts.ts';
import { createExplainRefusal, type ExplainRefusal } from './challenge.ts';
import { publicOrigin } from './public-url.ts';

export interface RouteOptions extends RegistryOptions {
  /** In whose name upstream is asked. */
  readonly login: UpstreamLogin;
  /** undefined: whoever reaches the proxy may use it. The same for all routes that one host leads to. */
  readonly clientAuth: ClientAuth | undefined;
  /** undefined: clients ask upstream's token server themselves. */
  readonly tokenRelay: TokenRelay | undefined;
  /** The address that clients reach the route at; undefined where the request tells it. */
  readonly publicUrl: URL | undefined;
  readonly log: Log;
}

/** One upstream as clients meet it: a route, and who may use it in whose name. */
export interface Route extends Routable {
  readonly id: string;
  readonly registry: Registry;
  readonly registryV1: RegistryV1;
  readonly v1Session: V1Session;
  readonly login: UpstreamLogin;
  readonly clientAuth: ClientAuth | undefined;
  readonly tokenRelay: TokenRelay | undefined;
  readonly explainRefusal: ExplainRefusal;
  readonly publicUrl: URL | undefined;
}

export function createRoute(options: RouteOptions): Route {
  const { id, match, login, clientAuth, tokenRelay, publicUrl, clock, log } = options;
  const registry = createRegistry(options);
  const session = createV1Session({ keys: options.stateKeys, route: id, clock });
  return {
    id,
    match,
    repositoryNames: registry.repositoryNames,
    registry,
    registryV1: createRegistryV1({ ...options, registry, session }),
    v1Session: session,
    login,
    clientAuth,
    tokenRelay,
    explainRefusal: createExplainRefusal(login, tokenRelay, log),
    publicUrl,
  };
}

/**
 * Answers a request in the name, and under the address, that the route says; what goes wrong is told in the client's
 * own words.
 */
export async function answerFor<Answer>(
  route: Route,
  request: ClientRequest,
  mapping: RepositoryMapping | undefined,
  answer: (request: ClientRequest) => Promise<Answer>,
): Promise<Answer> {
  request.notes.route = route.id;
  const address = publicOrigin(route.publicUrl, request.address);
  const { storeResponse, ...asked } = withCredentialOf(request, route.login);
  // Who may use the proxy is asked anew each time.
  const holding = storeResponse && route.clientAuth === undefined ? { storeResponse } : {};
  const own = { ...asked, ...holding, address, ...(mapping ? { repository: mapping } : {}) };
  try {
    return await answer(own);
  } catch (error) {
    throw renamed(await route.explainRefusal(error, own), mapping);
  }
}

function renamed(error: unknown, mapping: RepositoryMapping | undefined): unknown {
  if (!(error instanceof RegistryError)) return error;
  const message = withClientNames(error.message, mapping);
  if (message === error.message) return error;
  const { code, cause, headers, detail } = error;
  return new RegistryError(code, message, { cause, headers, ...(detail ? { detail } : {}) });
}

/** @param name as the client wrote it. */
export function unknownRepository(name: string): RegistryError {
  const shown = JSON.stringify(name.slice(0, 300));
  return new RegistryError(
    'NAME_UNKNOWN',
    `No route of this proxy leads to the repository ${shown} from here.`,
  );
}
