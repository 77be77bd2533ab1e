import type { Context, MiddlewareHandler } from 'hono';
import type { RepositoryName } from '../../../converters/reference.ts';
import { requireLogin } from '../../auth/client-auth.ts';
import { RegistryError } from '../../errors.ts';
import { type ClientRequest, withCredentialOf } from '../../registry/client-request.ts';
import { withPolicyOf } from '../../registry/client-rules.ts';
import type { RepositoryMapping } from '../../routing/repository-names.ts';
import type { VirtualHosts } from '../../routing/virtual-hosts.ts';
import { cacheControl } from '../cache-control.ts';
import type { Env } from '../env.ts';
import { nameParam } from '../params.ts';
import { publicOrigin } from '../public-url.ts';
import { namespaceHeader } from '../responses.ts';
import { type Route, unknownRepository } from '../route.ts';

/** Middleware: finds the routes that the host and port of a request reach. @throws RegistryError NAME_UNKNOWN. */
export function virtualHost(hosts: VirtualHosts<Route>): MiddlewareHandler<Env> {
  return async (context, next) => {
    const authority = context.get('authority');
    const host = hosts.find(authority);
    if (host === undefined) {
      const message = `No route of this proxy is for the address ${authority.origin}. Check host and port in the name of the image.`;
      throw new RegistryError('NAME_UNKNOWN', message);
    }
    context.set('host', host);
    await next();
  };
}

/**
 * Middleware: lets in clients with a valid login. All routes of one host want the same login (config/route-rules.ts),
 * so the first one decides. A client without it does not learn whether a path exists.
 * @throws RegistryError UNAUTHORIZED with the challenge.
 */
export const clientAuth: MiddlewareHandler<Env> = async (context, next) => {
  const { clientAuth: own } = context.get('host').routes[0];
  await requireLogin(own, context.get('received'));
  await next();
  if (own === undefined) return;
  // Shared caches check no login: what anyone may read at the registry needs one here.
  const { headers } = context.res;
  headers.set('Cache-Control', cacheControl(false, headers.get('cache-control')));
};

/**
 * Makes a route the one that answers: sets `route` and `request`, the latter with the credential and the public
 * address of the route.
 * @param mapping the repository that the request names; absent for a request that names none.
 */
export function enterRoute(
  context: Context<Env>,
  route: Route,
  mapping: RepositoryMapping | undefined,
): ClientRequest {
  const received = context.get('received');
  received.notes.route = route.id;
  const { storeResponse, ...rest } = withCredentialOf(received, route.login);
  const request: ClientRequest = {
    ...rest,
    // A proxy with logins checks each request anew, so its responses do not skip that check.
    ...(storeResponse && route.clientAuth === undefined ? { storeResponse } : {}),
    ...(mapping ? { repository: mapping } : {}),
    address: publicOrigin(route.publicUrl, received.address),
  };
  context.set('route', route);
  const ruled = withPolicyOf(request, route);
  context.set('request', ruled);
  return ruled;
}

/** Methods of a resource that every client may read. */
export const reads = ['GET', 'HEAD'] as const;

/**
 * Middleware of a path that names no repository: the first route of the host answers.
 * @param resource for the log and the counters. @throws RegistryError METHOD_NOT_ALLOWED.
 */
export function anyRoute(resource: string, methods: readonly string[] = reads): MiddlewareHandler<Env> {
  return async (context, next) => {
    context.get('received').notes.resource = resource;
    enterRoute(context, context.get('host').routes[0], undefined);
    checkMethod(context.req.raw.method, methods);
    await next();
  };
}

/**
 * Middleware of a path that names a repository: finds its route, and the name that upstream has for it.
 * @param resource for the log and the counters.
 * @param read methods that every route serves. @param write methods of a route that takes pushes (REGSHIFT_PUSH).
 * @throws RegistryError NAME_INVALID; NAME_UNKNOWN for a repository that no route has, or that its route does not serve;
 *   METHOD_NOT_ALLOWED.
 */
export function repository(
  resource: string,
  read: readonly string[],
  write: readonly string[] = [],
): MiddlewareHandler<Env> {
  return async (context, next) => {
    context.get('received').notes.resource = resource;
    const name = nameParam(context);
    const found = context.get('host').find({ name, ns: ns(context) });
    if (found === undefined) throw unknownRepository(name);
    const { route, mapping } = found;
    enterRoute(context, route, mapping);
    context.set('mapping', mapping);
    checkMethod(context.req.raw.method, read, write, route.registry.pushes.allowed);
    if (!route.registry.serves(mapping.upstream)) {
      throw new RegistryError('NAME_UNKNOWN', `The repository ${mapping.upstream} is not served here.`);
    }
    await next();
    for (const [name, value] of Object.entries(namespaceHeader(mapping)))
      context.res.headers.set(name, value);
  };
}

/**
 * Refuses a method that a resource does not have (distribution-spec 1.1, "Endpoints"), or that writes where the route
 * takes no pushes.
 * @throws RegistryError METHOD_NOT_ALLOWED with the allowed methods in `Allow`.
 */
function checkMethod(
  method: string,
  read: readonly string[],
  write: readonly string[] = [],
  takesPushes = false,
): void {
  const allowed = takesPushes ? [...read, ...write] : read;
  if (allowed.includes(method)) return;
  const message = write.includes(method)
    ? 'This proxy is read-only (REGSHIFT_PUSH): nothing can be pushed or deleted through it. Push to the ' +
      'registry itself.'
    : `${method.slice(0, 40)} is not served here${allowed.length > 0 ? `, only ${allowed.join(', ')}` : ''}.`;
  throw new RegistryError('METHOD_NOT_ALLOWED', message, { headers: { Allow: allowed.join(', ') } });
}

/** The name that upstream has for another repository of the same route; undefined for one of another route. */
export function inSameRoute(context: Context<Env>): (name: RepositoryName) => RepositoryName | undefined {
  const { find } = context.get('host');
  return (name) => {
    const other = find({ name, ns: ns(context) });
    return other && other.route === context.get('route') ? other.mapping.upstream : undefined;
  };
}

/** The registry that containerd wants of a mirror (its hosts.toml, `?ns=`). */
function ns(context: Context<Env>): string | undefined {
  return context.get('received').url.searchParams.get('ns') ?? undefined;
}
