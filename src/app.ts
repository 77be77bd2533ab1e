import { Hono } from 'hono/tiny';
import type { MemoryBudget } from './cache/memory-budget.ts';
import { isV1Path } from './client-state/v1-session.ts';
import type { WallClock } from './clock.ts';
import { createAccessLog } from './http/access-log.ts';
import type { ClientConnection, Env } from './http/env.ts';
import { type EventOptions, receiveEvents, refuseEventMethod } from './http/events/receive-events.ts';
import { alive, type Health, ready } from './http/health.ts';
import { type InFlight, inFlightLimit } from './http/in-flight.ts';
import { type AccessLogOptions, accessLog } from './http/middleware/access-log.ts';
import { cors } from './http/middleware/cors.ts';
import { respondWithError, unknownEndpoint } from './http/middleware/error-response.ts';
import { anyRoute, clientAuth, reads, repository, virtualHost } from './http/middleware/routing.ts';
import type { PageOptions } from './http/page/page.ts';
import { about, createPageLoader } from './http/page-loader.ts';
import { extensionPattern, pathOf, routedPath } from './http/params.ts';
import { createRequestIds } from './http/request-id.ts';
import { createResponseCache, type ResponseCache } from './http/response-cache.ts';
import { createRoute, type RouteOptions } from './http/route.ts';
import { openSession, v1Routes } from './http/v1/routes.ts';
import { getBlob } from './http/v2/blobs.ts';
import { listCatalog } from './http/v2/catalog.ts';
import { getTags } from './http/v2/lists.ts';
import { getManifest } from './http/v2/manifests.ts';
import { ping } from './http/v2/ping.ts';
import { putManifest } from './http/v2/put-manifest.ts';
import { getReferrers, getRegistryExtension, getRepositoryExtension } from './http/v2/relayed-reads.ts';
import { token } from './http/v2/token.ts';
import { continueUpload, startUpload } from './http/v2/uploads.ts';
import { deleteBlob, deleteManifest } from './http/v2/writes.ts';
import type { Metrics } from './observability/metrics.ts';
import { createVirtualHosts } from './routing/virtual-hosts.ts';

/** Everything that a runtime gives to the program. */
export interface Dependencies extends AccessLogOptions {
  readonly wallClock: WallClock;
  readonly routes: readonly RouteOptions[];
  readonly health: Health;
  readonly inFlight: InFlight;
  readonly metrics: Metrics;
  /** The page for people at `/`; undefined for none. */
  readonly page: Omit<PageOptions, 'health'> | undefined;
  /** Has the table of whole responses. */
  readonly memory: MemoryBudget;
  /** The notifications of registries; undefined where none are taken. */
  readonly events: EventOptions | undefined;
}

export interface App {
  readonly fetch: (request: Request, connection?: ClientConnection) => Response | Promise<Response>;
  /** For a runtime that can look up a response without making a Request. */
  readonly responseCache: Pick<ResponseCache, 'lookup' | 'revalidate'>;
}

/**
 * The program, the same for every runtime: every route and every middleware. Registry API v1 is an app of its own.
 * `hono/tiny` tries the patterns in the order in which they stand here, and takes a slash at the end for none: `routedPath`
 * leaves it to the paths that may have one.
 */
export function createApp(dependencies: Dependencies): App {
  const { wallClock, health, inFlight, trustedProxies } = dependencies;
  const logLine = createAccessLog(dependencies.log, dependencies.metrics);
  const requestId = createRequestIds(trustedProxies);
  const responseCache = createResponseCache(dependencies, logLine, requestId);
  const routes = dependencies.routes.map(createRoute);
  const hosts = createVirtualHosts(routes);
  const everyRequest = [
    accessLog(dependencies, { logLine, requestId, responseCache }),
    inFlightLimit(inFlight),
  ] as const;

  const v1 = new Hono<Env>({ getPath: routedPath }).onError(respondWithError).notFound(unknownEndpoint);
  const v1Resources = v1Routes();
  v1.use(...everyRequest, virtualHost(hosts))
    .route('/v1', v1Resources)
    .route('/v1ctx/:context/v1', v1Resources);
  v1.all('/v1ctx/*', openSession, clientAuth, unknownEndpoint);

  const v2 = new Hono<Env>({ getPath: routedPath }).onError(respondWithError).notFound(unknownEndpoint);
  v2.get('/', about(dependencies.page !== undefined))
    .get('/healthz', alive)
    .get('/livez', alive)
    .get('/readyz', ready(health));
  v2.use(...everyRequest);
  // A registry may notify at an address that no route is for.
  if (dependencies.events) v2.post('/events', receiveEvents(dependencies.events, routes));
  v2.use(virtualHost(hosts));
  if (dependencies.page) {
    const page = createPageLoader({ ...dependencies.page, health });
    v2.get('/', page.show).get('/page/:file{page\\.(?:css|js)}', page.file).get('/page/names', page.names);
  }
  v2.use(cors, clientAuth);
  if (dependencies.events) v2.all('/events', refuseEventMethod);
  v2.use('/v2', anyRoute('ping')).get(ping);
  v2.use('/token', anyRoute('token', [...reads, 'POST']))
    .get(token(wallClock))
    .post(token(wallClock));
  // distribution has the catalog, and distribution-spec 1.1 reserves the name: no repository begins with "_".
  v2.use('/v2/_catalog', anyRoute('catalog')).get(listCatalog);
  v2.use(`/v2/${extensionPattern}`, anyRoute('extension')).get(getRegistryExtension);

  const name = '/v2/:name{.+}';
  v2.use(`${name}/blobs/uploads`, repository('uploads', [], ['POST'])).post(startUpload);
  // A client that may not push has no upload to ask about.
  v2.use(`${name}/blobs/uploads/:upload`, repository('upload', [], uploadMethods)).all(continueUpload);
  v2.use(`${name}/manifests/:reference`, repository('manifest', reads, ['PUT', 'DELETE']))
    .get(getManifest)
    .put(putManifest)
    .delete(deleteManifest);
  v2.use(`${name}/blobs/:digest`, repository('blob', reads, ['DELETE']))
    .get(getBlob)
    .delete(deleteBlob);
  v2.use(`${name}/tags/list`, repository('tags', reads)).get(getTags);
  v2.use(`${name}/referrers/:digest`, repository('referrers', reads)).get(getReferrers);
  v2.use(`${name}/${extensionPattern}`, repository('extension', reads)).get(getRepositoryExtension);

  return {
    fetch: (request, connection = {}) => (isV1Path(pathOf(request)) ? v1 : v2).fetch(request, connection),
    responseCache,
  };
}

const uploadMethods = ['GET', 'HEAD', 'PATCH', 'PUT', 'DELETE'];
