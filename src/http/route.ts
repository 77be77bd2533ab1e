import type { ClientAuth } from '../auth/client-auth.ts';
import type { TokenRelay } from '../auth/token-relay.ts';
import type { UpstreamLogin } from '../auth/upstream-auth.ts';
import { type Claims, createClaims } from '../client-state/v1-session.ts';
import { Failure } from '../errors.ts';
import type { Log } from '../observability/log.ts';
import { type ClientRequest, inNameOf } from '../registry/client-request.ts';
import { createRoute, type Route, type RouteOptions } from '../registry/registry.ts';
import { createRegistryV1, type RegistryV1 } from '../registry/v1/registry-v1.ts';
import { inClientWords, type Named } from '../routing/repository-names.ts';
import type { Entry } from '../routing/virtual-hosts.ts';
import { createTellRefusal, type TellRefusal } from './challenge.ts';
import { ownAddress } from './public-url.ts';

export interface SiteOptions extends RouteOptions {
  /** In whose name upstream is asked. */
  readonly login: UpstreamLogin;
  /** undefined: whoever reaches the proxy may use it. The same for all routes that one host leads to. */
  readonly clientAuth: ClientAuth | undefined;
  /** undefined: clients ask upstream's token server themselves. */
  readonly tokenRelay: TokenRelay | undefined;
  readonly log: Log;
}

/** One upstream as clients meet it: a route, and who may use it in whose name. */
export interface Site extends Entry {
  readonly id: string;
  readonly route: Route;
  readonly registryV1: RegistryV1;
  readonly claims: Claims;
  readonly login: UpstreamLogin;
  readonly clientAuth: ClientAuth | undefined;
  readonly tokenRelay: TokenRelay | undefined;
  readonly tellRefusal: TellRefusal;
  readonly publicUrl: URL | undefined;
}

export function createSite(options: SiteOptions): Site {
  const { id, match, settings, login, clientAuth, tokenRelay, clock, log } = options;
  const route = createRoute(options);
  const claims = createClaims({ keys: options.claimKeys, route: id, clock });
  return {
    id,
    match,
    names: route.names,
    route,
    registryV1: createRegistryV1({ ...options, route, claims }),
    claims,
    login,
    clientAuth,
    tokenRelay,
    tellRefusal: createTellRefusal(login, tokenRelay, log),
    publicUrl: settings.REGSHIFT_PUBLIC_URL,
  };
}

/**
 * Answers a request in the name, and under the address, that the route says; what goes wrong is told in the client's
 * own words.
 */
export async function answerFor<Answer>(
  site: Site,
  request: ClientRequest,
  named: Named | undefined,
  answer: (request: ClientRequest) => Promise<Answer>,
): Promise<Answer> {
  request.notes.route = site.id;
  const address = ownAddress(site.publicUrl, request.address);
  const { hold, ...asked } = inNameOf(request, site.login);
  // Who may use the proxy is asked anew each time.
  const holding = hold && site.clientAuth === undefined ? { hold } : {};
  const own = { ...asked, ...holding, address, ...(named ? { named } : {}) };
  try {
    return await answer(own);
  } catch (error) {
    throw renamed(await site.tellRefusal(error, own), named);
  }
}

function renamed(error: unknown, named: Named | undefined): unknown {
  if (!(error instanceof Failure)) return error;
  const message = inClientWords(error.message, named);
  if (message === error.message) return error;
  const { code, cause, headers, detail } = error;
  return new Failure(code, message, { cause, headers, ...(detail ? { detail } : {}) });
}

/** @param name as the client wrote it. */
export function noRoute(name: string): Failure {
  const shown = JSON.stringify(name.slice(0, 300));
  return new Failure('NAME_UNKNOWN', `No route of this proxy leads to the repository ${shown} from here.`);
}
