import { Hono } from 'hono';
import { createBudget } from './budget.ts';
import type { IpRange } from './config/ip-range.ts';
import { Failure } from './errors.ts';
import type { Log } from './observability/log.ts';
import { errorAnswer, failureFrom } from './routes/answer.ts';
import { answerV2 } from './routes/answer-v2.ts';
import { type ClientRequest, readClientRequest } from './routes/client-request.ts';
import type { Connection } from './routes/own-address.ts';
import { v1ErrorAnswer } from './routes/v1/answer.ts';
import { answerV1 } from './routes/v1/answer-v1.ts';
import { type Place, placeOf } from './routing/place.ts';
import { createTable } from './routing/table.ts';
import { createSite, type SiteOptions } from './site.ts';
import { withoutSealed } from './uploads/elsewhere.ts';
import { isV1Path } from './v1-claims/claims.ts';
import { version } from './version.ts';

/** Everything that a runtime gives to the program. */
export interface Dependencies {
  /** One for each route. */
  readonly sites: readonly SiteOptions[];
  /** Whose `X-Forwarded-*` are believed. */
  readonly trustedProxies: readonly IpRange[];
  /** How many requests of its own one request may cause. */
  readonly subrequests: number;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly log: Log;
}

/** The program: one core for every runtime. */
export function createApp(dependencies: Dependencies): Hono {
  const { log, clock, trustedProxies, subrequests } = dependencies;
  const table = createTable(dependencies.sites.map(createSite));

  /** The way of a request: where it came in tells the routes, its path the resource and the one route of these. */
  async function answer(request: ClientRequest, place: Place): Promise<Response> {
    const door = table.at(place);
    if (door === undefined) throw noDoor(place);
    return isV1Path(request.url.pathname) ? answerV1(door, request) : answerV2(door, request, clock);
  }

  const app = new Hono();
  app.get('/healthz', (context) => context.text('ok\n'));
  app.get('/', (context) => context.text(page));
  app.all('*', async (context) => {
    const started = clock();
    const place = placeOf(context.req.raw, trustedProxies, context.env as Connection | undefined);
    const request = readClientRequest(context.req.raw, place.origin, createBudget(subrequests));
    const response = await answer(request, place).catch((error: unknown) => {
      report(log, request, error);
      if (isV1Path(request.url.pathname)) return v1ErrorAnswer(error, request);
      return errorAnswer(error, request.method === 'HEAD');
    });
    log('info', 'request', {
      method: request.method,
      path: withoutSealed(request.url.pathname),
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

function noDoor({ origin }: Place): Failure {
  return new Failure('NAME_UNKNOWN', `No route of this proxy is for what asks for ${origin}.`);
}

/** What the operator should see; the client is told in its own words. */
function report(log: Log, request: ClientRequest, error: unknown): void {
  const failure = failureFrom(error);
  // A client that left is no fault of anyone's.
  const unexpected = failure.code === 'INTERNAL' && !request.caller.signal?.aborted;
  log(unexpected ? 'error' : 'debug', 'request failed', {
    path: withoutSealed(request.url.pathname),
    code: failure.code,
    reason: failure.message,
    ...(unexpected && error instanceof Error ? { stack: error.stack } : {}),
  });
}
