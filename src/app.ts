import { Hono } from 'hono';
import { ConversionError } from '../converters/errors.ts';
import type { SigningKey } from '../converters/schema1/signing-key.ts';
import type { Cache } from './cache/cache.ts';
import type { Settings } from './config/settings.ts';
import { createChooser } from './derived/chooser.ts';
import { createWorkshop } from './derived/workshop.ts';
import { Failure } from './errors.ts';
import type { Log } from './observability/log.ts';
import { errorAnswer, failureFrom } from './routes/answer.ts';
import { answerBlob } from './routes/blobs.ts';
import { type ClientRequest, readClientRequest } from './routes/client-request.ts';
import type { ManifestRoute } from './routes/manifest-outcome.ts';
import { answerManifest } from './routes/manifests.ts';
import { parsePath } from './routes/path.ts';
import { answerPing } from './routes/ping.ts';
import { answerTags } from './routes/tags.ts';
import { createContent } from './stored/content.ts';
import { createResolver } from './stored/resolve.ts';
import type { UpstreamClient } from './upstream/client.ts';

/** Everything that a runtime gives to the program. */
export interface Dependencies {
  readonly settings: Settings;
  readonly upstream: UpstreamClient;
  readonly cache: Cache;
  readonly signingKey: () => Promise<SigningKey>;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly log: Log;
}

/** The program: one core for every runtime. */
export function createApp(dependencies: Dependencies): Hono {
  const { log, clock } = dependencies;
  const answer = createAnswerer(dependencies);
  const passThrough = dependencies.settings.REGSHIFT_UPSTREAM_AUTH === 'passthrough';
  const app = new Hono();
  app.get('/healthz', (context) => context.text('ok\n'));
  app.all('*', async (context) => {
    const started = clock();
    const request = readClientRequest(context.req.raw, passThrough);
    const response = await answer(request).catch((error: unknown) => {
      report(log, request, error);
      return errorAnswer(error, request.method === 'HEAD');
    });
    log('info', 'request', {
      method: request.method,
      path: request.url.pathname,
      client: request.client.name,
      status: response.status,
      conversion: response.headers.get('regshift-conversion') ?? undefined,
      milliseconds: clock() - started,
    });
    return response;
  });
  return app;
}

/** The way of a request: its path tells the resource, and one small file answers for each. */
function createAnswerer({ settings, upstream, cache, signingKey, clock }: Dependencies) {
  const content = createContent(upstream, cache);
  const workshop = createWorkshop({
    upstream: upstream.id,
    content,
    cache,
    signingKey,
    layerFacts: async () => {
      throw new ConversionError({ code: 'UNAVAILABLE', message: 'Layers cannot be read yet' });
    },
  });
  const manifestRoute: ManifestRoute = {
    resolver: createResolver({
      client: upstream,
      ttl: settings.REGSHIFT_TAG_TTL,
      stale: settings.REGSHIFT_STALE,
      clock,
    }),
    content,
    workshop,
    chooser: createChooser(content, workshop),
    pin: settings.REGSHIFT_FORMAT,
    platform: settings.REGSHIFT_PLATFORM,
    convertByDigest: settings.REGSHIFT_CONVERT_BY_DIGEST === 'always',
  };
  const blobRoute = { client: upstream, redirect: settings.REGSHIFT_BLOBS === 'redirect' };
  const passThrough = settings.REGSHIFT_UPSTREAM_AUTH === 'passthrough';

  return async (request: ClientRequest): Promise<Response> => {
    const resource = parsePath(request.url.pathname);
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      throw new Failure('METHOD_NOT_ALLOWED', `${request.method} is not served here: regshift only reads.`, {
        headers: { Allow: 'GET, HEAD' },
      });
    }
    switch (resource.kind) {
      case 'ping':
        return answerPing(upstream, request, passThrough);
      case 'manifest':
        return answerManifest(manifestRoute, request, resource.name, resource.reference);
      case 'blob':
        return answerBlob(blobRoute, request, resource.name, resource.digest);
      case 'tags':
        return answerTags(upstream, request, resource.name);
    }
  };
}

/** What the operator should see; the client is told in its own words. */
function report(log: Log, request: ClientRequest, error: unknown): void {
  const failure = failureFrom(error);
  const unexpected = failure.code === 'INTERNAL';
  log(unexpected ? 'error' : 'debug', 'request failed', {
    path: request.url.pathname,
    code: failure.code,
    reason: failure.message,
    ...(unexpected && error instanceof Error ? { stack: error.stack } : {}),
  });
}
