import { Hono } from 'hono';
import type { ClientAuth } from './auth/client-auth.ts';
import { guarded } from './auth/guard.ts';
import type { TokenRelay } from './auth/token-relay.ts';
import { upstreamLogin } from './auth/upstream-login.ts';
import { createTellRefusal } from './auth/upstream-refusal.ts';
import { Failure } from './errors.ts';
import type { Log } from './observability/log.ts';
import { createRoute, type RouteOptions } from './route.ts';
import { errorAnswer, failureFrom } from './routes/answer.ts';
import { answerBlob } from './routes/blobs.ts';
import { type ClientRequest, readClientRequest } from './routes/client-request.ts';
import { answerManifest } from './routes/manifests.ts';
import { type Connection, ownAddress } from './routes/own-address.ts';
import { parsePath } from './routes/path.ts';
import { answerPing } from './routes/ping.ts';
import { answerTags } from './routes/tags.ts';
import { answerToken } from './routes/token.ts';
import type { UpstreamClient } from './upstream/client.ts';
import { version } from './version.ts';

/** Everything that a runtime gives to the program. */
export interface Dependencies extends Omit<RouteOptions, 'client'> {
  readonly upstream: UpstreamClient;
  /** undefined: whoever reaches the proxy may use it. */
  readonly clientAuth: ClientAuth | undefined;
  /** undefined: clients ask upstream's token server themselves. */
  readonly tokenRelay: TokenRelay | undefined;
  readonly log: Log;
}

/** The program: one core for every runtime. */
export function createApp(dependencies: Dependencies): Hono {
  const { log, clock, settings, clientAuth, tokenRelay } = dependencies;
  const login = upstreamLogin(settings);
  const tellRefusal = createTellRefusal(login, tokenRelay, log);
  const answer = guarded(createAnswerer(dependencies), { clientAuth, tellRefusal });
  const addresses = {
    publicUrl: settings.REGSHIFT_PUBLIC_URL,
    trustedProxies: settings.REGSHIFT_TRUSTED_PROXIES,
  };
  const app = new Hono();
  app.get('/healthz', (context) => context.text('ok\n'));
  app.get('/', (context) => context.text(page));
  app.all('*', async (context) => {
    const started = clock();
    const address = ownAddress(context.req.raw, addresses, context.env as Connection | undefined);
    const request = readClientRequest(context.req.raw, login, address);
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

/** For whoever opens the address in a browser. */
const page = `regshift ${version}
One registry, every client: pull from this address as from any container registry.
Each client is given an image in the form that it can read.
`;

/** The way of a request: its path tells the resource, and one small file answers for each. */
function createAnswerer(dependencies: Dependencies) {
  const { settings, upstream, tokenRelay, clock } = dependencies;
  const route = createRoute({ ...dependencies, client: upstream });
  const passThrough = settings.REGSHIFT_UPSTREAM_AUTH === 'passthrough';

  return async (request: ClientRequest): Promise<Response> => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      throw new Failure('METHOD_NOT_ALLOWED', `${request.method} is not served here: regshift only reads.`, {
        headers: { Allow: 'GET, HEAD' },
      });
    }
    const resource = parsePath(request.url.pathname);
    if ('name' in resource && !route.serves(resource.name)) {
      throw new Failure('NAME_UNKNOWN', `The repository ${resource.name} is not served here.`);
    }
    switch (resource.kind) {
      case 'token':
        return answerToken(tokenRelay, request, clock);
      case 'ping':
        return answerPing(upstream, request, passThrough);
      case 'manifest':
        return answerManifest(route, request, resource.name, resource.reference);
      case 'blob':
        return answerBlob(route, request, resource.name, resource.digest);
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
