import { Hono } from 'hono';
import type { ClientAuth } from './auth/client-auth.ts';
import { guarded } from './auth/guard.ts';
import type { TokenRelay } from './auth/token-relay.ts';
import { upstreamLogin } from './auth/upstream-login.ts';
import { createTellRefusal } from './auth/upstream-refusal.ts';
import { createBudget } from './budget.ts';
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
import { v1ErrorAnswer } from './routes/v1/answer.ts';
import { answerV1 } from './routes/v1/answer-v1.ts';
import { createRegistryV1 } from './routes/v1/registry.ts';
import type { UpstreamClient } from './upstream/client.ts';
import { type Claims, createClaims, isV1Path } from './v1-claims/claims.ts';
import type { ClaimKeys } from './v1-claims/keys.ts';
import { version } from './version.ts';

/** Everything that a runtime gives to the program. */
export interface Dependencies extends Omit<RouteOptions, 'client'> {
  readonly upstream: UpstreamClient;
  /** undefined: whoever reaches the proxy may use it. */
  readonly clientAuth: ClientAuth | undefined;
  /** undefined: clients ask upstream's token server themselves. */
  readonly tokenRelay: TokenRelay | undefined;
  /** @throws Failure MISCONFIGURED where another process could not open what was sealed with them. */
  readonly claimKeys: () => Promise<ClaimKeys>;
  /** How many requests of its own one request may cause. */
  readonly subrequests: number;
  readonly log: Log;
}

/** The program: one core for every runtime. */
export function createApp(dependencies: Dependencies): Hono {
  const { log, clock, settings, clientAuth, tokenRelay, subrequests } = dependencies;
  const login = upstreamLogin(settings);
  const tellRefusal = createTellRefusal(login, tokenRelay, log);
  const claims = createClaims({ keys: dependencies.claimKeys, login, clock });
  const answer = guarded(createAnswerer(dependencies, claims), { clientAuth, tellRefusal });
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
    const request = readClientRequest(context.req.raw, login, address, createBudget(subrequests));
    const isV1 = isV1Path(request.url.pathname);
    const opened = isV1 ? claims.open(request) : Promise.resolve(request);
    const response = await opened.then(answer).catch((error: unknown) => {
      report(log, request, error);
      return isV1 ? v1ErrorAnswer(error, request) : errorAnswer(error, request.method === 'HEAD');
    });
    log('info', 'request', {
      method: request.method,
      path: request.url.pathname,
      client: request.client.name,
      status: response.status,
      ...request.notes,
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
function createAnswerer(dependencies: Dependencies, claims: Claims) {
  const { settings, upstream, tokenRelay, clock } = dependencies;
  const route = createRoute({ ...dependencies, client: upstream });
  const passThrough = settings.REGSHIFT_UPSTREAM_AUTH === 'passthrough';
  const registryV1 = createRegistryV1({ ...dependencies, route, claims });

  return async (request: ClientRequest): Promise<Response> => {
    if (isV1Path(request.url.pathname)) return answerV1(registryV1, request);
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      throw new Failure('METHOD_NOT_ALLOWED', `${request.method} is not served here: regshift only reads.`, {
        headers: { Allow: 'GET, HEAD' },
      });
    }
    const asked = parsePath(request.url.pathname);
    const resource = 'name' in asked ? { ...asked, name: route.aliases.realName(asked.name) } : asked;
    if ('name' in resource && !route.serves(resource.name)) {
      throw new Failure('NAME_UNKNOWN', `The repository ${resource.name} is not served here.`);
    }
    switch (resource.kind) {
      case 'token':
        return answerToken(tokenRelay, request, clock, route.aliases);
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
