import type { Context, Handler, MiddlewareHandler } from 'hono';
import { Hono } from 'hono/tiny';
import { parseTag, type Tag } from '../../../converters/reference.ts';
import { invalidSession, sessionRoute, withoutSession } from '../../client-state/v1-session.ts';
import { RegistryError } from '../../errors.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import type { RepositoryMapping } from '../../routing/repository-names.ts';
import type { Env } from '../env.ts';
import { unknownEndpoint } from '../middleware/error-response.ts';
import { clientAuth, enterRoute, reads } from '../middleware/routing.ts';
import { quoted } from '../quoted.ts';
import { type Route, unknownRepository } from '../route.ts';
import { getV1Image } from './images.ts';
import { checkV1Login, v1Ping } from './login.ts';
import { belongsToPull, candidateNames } from './names.ts';
import { getV1Properties, getV1Repository } from './repository.ts';
import { listV1Images } from './repository-images.ts';
import { searchV1 } from './search.ts';
import { getV1Tag, listV1Tags } from './tags.ts';

/**
 * Registry API v1, for mounting at `/v1` and at `/v1ctx/<context>/v1`. Docker 1.3 to 1.5 pull by it, and later ones up
 * to 17.05 pull by it what they find by no other API. The route is the one whose session the request brings back, or
 * else the one that has the repository of the path.
 */
export function v1Routes(): Hono<Env> {
  const v1 = new Hono<Env>();
  const image = '/images/:id{[0-9a-f]{64}}';
  const name = '/repositories/:name{.+}';
  // After the session is opened: the login of a client may be in it.
  v1.use(openSession, clientAuth);
  v1.put('*', refusePush);
  v1.use('/_ping', answeredBy('v1-ping', reads)).get(v1Ping);
  v1.use('/users', answeredBy('v1-users', [...reads, 'POST']), ofNoPull).all(checkV1Login);
  v1.use('/search', answeredBy('v1-search', reads), ofNoPull).get(search);
  v1.use(`${image}/ancestry`, answeredBy('v1-ancestry', reads)).get(ofImage('ancestry'));
  v1.use(`${image}/json`, answeredBy('v1-image-json', reads)).get(ofImage('image-json'));
  v1.use(`${image}/layer`, answeredBy('v1-layer', reads)).get(ofImage('layer'));
  // `team/tags/images` begins the pull of `team/tags`, or asks for the tag `images` of `team`: the likeliest first.
  v1.all(`${name}/images`, ofRepository('v1-images', listV1Images));
  v1.all(`${name}/tags`, ofRepository('v1-tags', listV1Tags));
  v1.all(`${name}/json`, ofRepository('v1-json', getV1Repository));
  v1.all(`${name}/properties`, ofRepository('v1-properties', getV1Properties));
  v1.all(`${name}/tags/:tag`, ofTag('v1-tag', getV1Tag));
  v1.all('*', noReading);
  return v1;
}

/** Opens the session that a client brings back, or takes away what Docker sends in place of a login. */
export const openSession: MiddlewareHandler<Env> = async (context, next) => {
  const received = context.get('received');
  const { routes } = context.get('host');
  const id = sessionRoute(received);
  // A session of a route that is not here is opened by none: the first one says so.
  const claimed = id === undefined ? undefined : (routes.find((each) => each.id === id) ?? routes[0]);
  context.set('sessionRoute', claimed);
  context.set('received', claimed ? await claimed.v1Session.open(received) : withoutSession(received));
  await next();
};

/** Middleware of a path that names no repository: the route of the session answers, or else the first of the host. */
function answeredBy(resource: string, methods: readonly string[]): MiddlewareHandler<Env> {
  return async (context, next) => {
    const claimed = context.get('sessionRoute');
    context.get('received').notes.resource = resource;
    enterRoute(context, claimed ?? context.get('host').routes[0], claimed && pulled(claimed, context));
    checkV1Method(context.req.raw.method, methods);
    await next();
  };
}

/**
 * Middleware of a path that is about all repositories. The login in a session is for the pull of one: a search with it
 * would list the others.
 */
const ofNoPull: MiddlewareHandler<Env> = async (context, next) => {
  if (context.get('received').v1Context) throw invalidSession('The token is for the pull of one repository');
  await next();
};

/**
 * Docker up to 1.4 pushes by API v1 and prints the body of the refusal (docker 1.4, registry/session.go,
 * PushImageJSONIndex). @throws RegistryError METHOD_NOT_ALLOWED always.
 */
const refusePush: Handler<Env> = () => {
  throw new RegistryError(
    'METHOD_NOT_ALLOWED',
    'Nothing can be pushed by registry API v1, which this Docker pushes by: registries of today do not have it. Push ' +
      'with Docker 1.6 or later.',
    { headers: { Allow: reads.join(', ') } },
  );
};

const search: Handler<Env> = (context) => searchV1(context.get('host'), context.get('request'));

function ofImage(kind: 'ancestry' | 'image-json' | 'layer'): Handler<Env> {
  return (context) =>
    getV1Image(context.get('route').registry, context.get('request'), kind, context.req.param('id') ?? '');
}

/** @throws RegistryError METHOD_NOT_ALLOWED: nothing is pushed by API v1. */
function checkV1Method(method: string, allowed: readonly string[]): void {
  if (allowed.includes(method)) return;
  throw new RegistryError('METHOD_NOT_ALLOWED', `${method} is not served here: regshift only reads.`, {
    headers: { Allow: allowed.join(', ') },
  });
}

/** A response about the repository that a path names, as the path has it. */
type RepositoryHandler = (route: Route, request: ClientRequest, name: string) => Promise<Response>;

/** A response about a tag of such a repository. */
type TagHandler = (...args: [...Parameters<RepositoryHandler>, tag: Tag]) => Promise<Response>;

/** A handler that passes on a path whose name is no repository here, or another one than the session is good for. */
function ofRepository(resource: string, handler: RepositoryHandler): Handler<Env> {
  return async (context, next) => {
    const name = context.req.param('name') ?? '';
    const found = routeOf(context, name);
    if (found instanceof RegistryError) return mismatch(context, next, found);
    context.get('received').notes.resource = resource;
    const request = enterRoute(context, found.route, found.mapping);
    checkV1Method(context.req.raw.method, reads);
    return handler(found.route, request, name);
  };
}

/** As `ofRepository`, for a path with a tag: it also passes on what cannot be a tag. */
function ofTag(resource: string, handler: TagHandler): Handler<Env> {
  return async (context, next) => {
    const text = context.req.param('tag') ?? '';
    const tag = parseTag(text);
    if (tag === undefined) {
      const message = `${quoted(text, 200)} is not a tag.`;
      return mismatch(context, next, new RegistryError('REFERENCE_INVALID', message));
    }
    return ofRepository(resource, (...args) => handler(...args, tag))(context, next);
  };
}

async function mismatch(
  context: Context<Env>,
  next: () => Promise<void>,
  error: RegistryError,
): Promise<undefined> {
  if (context.get('mismatch') === undefined) context.set('mismatch', error);
  await next();
  return undefined;
}

/** The end of every path of API v1: no reading of it has fit. */
const noReading: Handler<Env> = (context) => {
  const error = context.get('mismatch');
  if (error === undefined) return unknownEndpoint(context);
  throw error;
};

interface FoundRoute {
  readonly route: Route;
  /** undefined for a name that cannot be one: its handler says so. */
  readonly mapping: RepositoryMapping | undefined;
}

/** @returns an error for a name that no route has, or that is another one than the session is good for. */
function routeOf(context: Context<Env>, name: string): FoundRoute | RegistryError {
  const host = context.get('host');
  const claimed = context.get('sessionRoute');
  if (claimed) {
    const isPulled = belongsToPull(claimed.registry, context.get('received'), name);
    return isPulled
      ? { route: claimed, mapping: pulled(claimed, context) }
      : invalidSession('The token is of another repository');
  }
  const names = candidateNames(name);
  if (names.length === 0) return { route: host.routes[0], mapping: undefined };
  for (const each of names) {
    const found = host.find({ name: each, ns: undefined });
    if (found) return found;
  }
  return unknownRepository(name);
}

/** The repository that the session is good for. */
function pulled({ repositoryNames }: Route, context: Context<Env>): RepositoryMapping | undefined {
  const upstream = context.get('received').v1Context?.repository;
  return (
    upstream && { upstream, client: repositoryNames.toClient(upstream) ?? upstream, prefix: '', rank: 0 }
  );
}
