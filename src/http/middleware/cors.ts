import type { Context, MiddlewareHandler } from 'hono';
import { parseRepositoryName, type RepositoryName } from '../../../converters/reference.ts';
import { RegistryError } from '../../errors.ts';
import { withCredentialOf } from '../../registry/client-request.ts';
import { discard } from '../../upstream/body.ts';
import { pickHeaders } from '../../upstream/error-response.ts';
import type { Env } from '../env.ts';
import { routedPath } from '../params.ts';
import { quoted } from '../quoted.ts';
import { apiVersion } from '../responses.ts';
import type { Route } from '../route.ts';

/** Response headers of the CORS protocol (Fetch standard, "CORS protocol"; Private Network Access). */
const corsHeaders = [
  'access-control-allow-origin',
  'access-control-allow-methods',
  'access-control-allow-headers',
  'access-control-allow-credentials',
  'access-control-allow-private-network',
  'access-control-expose-headers',
  'access-control-max-age',
];

/** Request headers of a preflight (Fetch standard, "CORS-preflight fetch"). */
const preflightHeaders = [
  'origin',
  'access-control-request-method',
  'access-control-request-headers',
  'access-control-request-private-network',
];

/**
 * Middleware: lets the registry decide which web pages may read its content through regshift. Preflights go to the
 * registry, before any login: a browser sends none with them. For other requests of a page, the registry is asked for
 * its CORS headers at the same path, because the response may be made here or by several responses of the registry.
 * Requests without `Origin` pass untouched.
 *
 * A browser sends a `POST` of another site, with the login that it remembers, before it asks whether the site may (Fetch
 * standard, "CORS-safelisted method"). Such a request goes on only if the registry names the site. `*` is not enough: it
 * stands for sites without a login, and the browser may send one that it remembers.
 * @throws RegistryError DENIED for a POST of a site that the registry does not name.
 */
export const cors: MiddlewareHandler<Env> = async (context, next) => {
  const { method, headers } = context.req.raw;
  const origin = headers.get('origin');
  if (origin === null) return next();
  const target = corsTarget(context);
  let found: Record<string, string> | undefined;
  if (method === 'POST' && isForeign(origin, context)) {
    found = target.route.passesCors ? await corsHeadersFor(context, target) : {};
    if (found['access-control-allow-origin'] !== origin) throw foreignPost(origin);
  }
  if (!target.route.passesCors) return next();
  if (method === 'OPTIONS') {
    context.get('received').notes.resource = 'preflight';
    context.get('received').notes.route = target.route.id;
    context.res = await preflight(context, target);
    return;
  }
  await next();
  found ??= await corsHeadersFor(context, target);
  for (const [name, value] of Object.entries(found)) context.res.headers.set(name, value);
  const vary = context.res.headers.get('vary');
  context.res.headers.set('Vary', vary ? `${vary}, Origin` : 'Origin');
};

/** Whether another site than the one that clients reach regshift at sends a request. */
function isForeign(origin: string, context: Context<Env>): boolean {
  const site = context.req.raw.headers.get('sec-fetch-site');
  if (site !== null) return site !== 'same-origin' && site !== 'none';
  const { host } = new URL(context.get('received').address);
  return URL.parse(origin)?.host !== host;
}

function foreignPost(origin: string): RegistryError {
  return new RegistryError(
    'DENIED',
    `A web page of ${quoted(origin, 300)} may not push through this proxy: the registry names no such page in its CORS headers.`,
  );
}

/** The resource of a request by its route and by the path that upstream has for it. */
interface CorsTarget {
  readonly route: Route;
  readonly path: string;
  /** Absent for a path that names no repository. */
  readonly repository?: RepositoryName;
}

/** A reference with other characters is none, and could lead out of the repository (`..%2F`). */
const resource = /^\/v2\/(.+)(\/(?:tags\/list|(?:manifests|blobs|referrers)\/(?:[\w.:+-]|%3A)+))\/?$/i;

/** @returns the ping of the host's first route for a path that names no repository which is served. */
function corsTarget(context: Context<Env>): CorsTarget {
  const { routes, find } = context.get('host');
  const [, escaped = '', rest = ''] = resource.exec(routedPath(context.req.raw)) ?? [];
  const name = parseRepositoryName(decoded(escaped));
  const ns = context.get('received').url.searchParams.get('ns') ?? undefined;
  const found = name && find({ name, ns });
  if (!found?.route.registry.serves(found.mapping.upstream)) return { route: routes[0], path: '/v2/' };
  const { route, mapping } = found;
  return { route, path: `/v2/${mapping.upstream}${rest}`, repository: mapping.upstream };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

/** The registry's response to a preflight, without its body. @throws RegistryError where there is no response. */
async function preflight(context: Context<Env>, { route, path }: CorsTarget): Promise<Response> {
  const received = context.get('received');
  const { budget, signal } = received.context;
  const { response } = await route.registry.client.request({
    method: 'OPTIONS',
    path,
    credential: { kind: 'none' },
    budget,
    signal,
    headers: pickHeaders(received, preflightHeaders),
  });
  await discard(response);
  // Without a client's own login upstream, a challenge would ask the client for one there (challenge.ts).
  const isForClient = route.login === 'passthrough' || response.status !== 401;
  return new Response(null, {
    status: isForClient ? response.status : 403,
    headers: {
      ...apiVersion,
      ...allowed(route, response),
      ...pickHeaders(response, ['allow', 'retry-after', ...(isForClient ? ['www-authenticate'] : [])]),
      ...(response.status === 204 ? {} : { 'Content-Length': '0' }),
      Vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
    },
  });
}

/**
 * The registry's CORS headers for a page. A `HEAD` changes nothing and costs no pull, and its refusal ends no proof of
 * access. A request that writes may not be repeated, so the ping stands in for it.
 * @returns none where the registry fails: the page then gets no response, as from the registry itself.
 */
async function corsHeadersFor(
  context: Context<Env>,
  { route, path, repository }: CorsTarget,
): Promise<Record<string, string>> {
  const received = context.get('received');
  const isRead = received.method === 'GET' || received.method === 'HEAD';
  // A request whose login is refused has no route yet, and reaches upstream without a credential.
  const isAdmitted = context.get('route') !== undefined;
  const admitted = isAdmitted ? withCredentialOf(received, route.login) : received;
  const { credential, budget, signal } = admitted.context;
  try {
    const { response } = await route.registry.client.request({
      ...(isRead && isAdmitted ? { path, ...(repository ? { repository } : {}) } : { path: '/v2/' }),
      method: 'HEAD',
      credential,
      budget,
      signal,
      headers: pickHeaders(received, ['origin']),
      redirects: 'return',
    });
    await discard(response);
    return allowed(route, response);
  } catch {
    return {};
  }
}

/** Logins of the proxy are no business of the registry: it cannot let pages use those that a browser remembers. */
function allowed({ login }: Route, response: Response): Record<string, string> {
  const { 'access-control-allow-credentials': credentials, ...others } = pickHeaders(response, corsHeaders);
  const isOfRegistry = login === 'passthrough' && credentials !== undefined;
  return isOfRegistry ? { ...others, 'access-control-allow-credentials': credentials } : others;
}
