import { Hono } from 'hono/tiny';
import { createAccessLog } from './http/access-log.ts';
import type { ClientConnection, Env } from './http/env.ts';
import { about, alive, type Health, ready } from './http/health.ts';
import { type InFlight, inFlightLimit } from './http/in-flight.ts';
import { type AccessLogOptions, accessLog } from './http/middleware/access-log.ts';
import { allowMethods, reads } from './http/middleware/allow-methods.ts';
import { respondWithError, unknownEndpoint } from './http/middleware/error-response.ts';
import { anyRoute, clientAuth, repository, virtualHost } from './http/middleware/routing.ts';
import { withoutDoubleSlash } from './http/params.ts';
import { createRequestIds } from './http/request-id.ts';
import { createResponseCache, type ResponseCache } from './http/response-cache.ts';
import { createRoute, type RouteOptions } from './http/route.ts';
import { openSession, v1Routes } from './http/v1/routes.ts';
import { getBlob } from './http/v2/blobs.ts';
import { listCatalog } from './http/v2/catalog.ts';
import { getManifest } from './http/v2/manifests.ts';
import { ping } from './http/v2/ping.ts';
import { getReferrers } from './http/v2/referrers.ts';
import { getTags } from './http/v2/tags.ts';
import { token } from './http/v2/token.ts';
import { continueUpload, startUpload } from './http/v2/uploads.ts';
import { deleteBlob, deleteManifest, putManifest } from './http/v2/writes.ts';
import type { Metrics } from './observability/metrics.ts';
import { createVirtualHosts } from './routing/virtual-hosts.ts';

/** Everything that a runtime gives to the program. */
export interface Dependencies extends AccessLogOptions {
  readonly routes: readonly RouteOptions[];
  readonly health: Health;
  readonly inFlight: InFlight;
  readonly metrics: Metrics;
  /** Memory for whole responses, in bytes. */
  readonly responseCacheBytes: number;
}

export interface App {
  readonly fetch: (request: Request, connection?: ClientConnection) => Response | Promise<Response>;
  /** For a runtime that can look up a response without making a Request. */
  readonly responseCache: Pick<ResponseCache, 'lookup' | 'revalidate'>;
}

/**
 * The program, the same for every runtime: every route and every middleware. `hono/tiny` has the router that tries the
 * patterns in the order in which they stand here, so that a path with two readings (API v1) reaches both.
 */
export function createApp(dependencies: Dependencies): App {
  const { clock, health, inFlight, trustedProxies } = dependencies;
  const logLine = createAccessLog(dependencies.log, dependencies.metrics);
  const requestId = createRequestIds(trustedProxies);
  const responseCache = createResponseCache(dependencies, logLine, requestId);
  const hosts = createVirtualHosts(dependencies.routes.map(createRoute));

  const app = new Hono<Env>({ getPath: withoutDoubleSlash });
  app.onError(respondWithError).notFound(unknownEndpoint);
  app.get('/', about).get('/healthz', alive).get('/readyz', ready(health));
  app.use(accessLog(dependencies, { logLine, requestId, responseCache }));
  app.use(inFlightLimit(inFlight), virtualHost(hosts));

  const v1 = v1Routes();
  app.route('/v1', v1).route('/v1ctx/:context/v1', v1).all('/v1ctx/*', openSession, unknownEndpoint);

  app.use(clientAuth);
  for (const path of ['/v2', '/v2/']) app.use(path, anyRoute('ping'), allowMethods(reads)).get(ping);
  app.use('/token', anyRoute('token'), allowMethods(reads)).get(token(clock));
  // distribution has the catalog, and distribution-spec 1.1 reserves the name: no repository begins with "_".
  app.use('/v2/_catalog', anyRoute('catalog'), allowMethods(reads)).get(listCatalog);

  const name = '/v2/:name{.+}';
  for (const path of [`${name}/blobs/uploads`, `${name}/blobs/uploads/`]) {
    app.use(path, repository('uploads'), allowMethods([], ['POST'])).post(startUpload);
  }
  // A client that may not push has no upload to ask about.
  app
    .use(`${name}/blobs/uploads/:upload`, repository('upload'), allowMethods([], uploadMethods))
    .all(continueUpload);
  app
    .use(`${name}/manifests/:reference`, repository('manifest'), allowMethods(reads, ['PUT', 'DELETE']))
    .get(getManifest)
    .put(putManifest)
    .delete(deleteManifest);
  app
    .use(`${name}/blobs/:digest`, repository('blob'), allowMethods(reads, ['DELETE']))
    .get(getBlob)
    .delete(deleteBlob);
  app.use(`${name}/tags/list`, repository('tags'), allowMethods(reads)).get(getTags);
  app.use(`${name}/referrers/:digest`, repository('referrers'), allowMethods(reads)).get(getReferrers);

  return { fetch: (request, connection = {}) => app.fetch(request, connection), responseCache };
}

const uploadMethods = ['GET', 'HEAD', 'PATCH', 'PUT', 'DELETE'];
