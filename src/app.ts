import { Hono } from 'hono';
import { createBudget } from './budget.ts';
import type { IpRange } from './config/ip-range.ts';
import { Failure } from './errors.ts';
import type { Facts, Log } from './observability/log.ts';
import { errorAnswer, failureFrom } from './routes/answer.ts';
import { answerV2 } from './routes/answer-v2.ts';
import { type ClientRequest, readClientRequest } from './routes/client-request.ts';
import { createHeldAnswers, type HeldAnswer } from './routes/held-answers.ts';
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

export interface App {
  readonly fetch: (request: Request, connection?: Connection) => Response | Promise<Response>;
  /**
   * The answer to a question that was asked in the same words a moment ago, as long as it holds: faster than `fetch`,
   * for a runtime that can do without a Request. It is logged.
   */
  readonly again: (question: string) => HeldAnswer | undefined;
}

/** The program: one core for every runtime. */
export function createApp(dependencies: Dependencies): App {
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
    const connection = context.env as Connection | undefined;
    const place = placeOf(context.req.raw, trustedProxies, connection);
    const asked = readClientRequest(context.req.raw, place.origin, createBudget(subrequests));
    const request = withHold(asked, connection?.question);
    const response = await answer(request, place).catch((error: unknown) => {
      report(log, request, error);
      if (isV1Path(request.url.pathname)) return v1ErrorAnswer(error, request);
      return errorAnswer(error, request.method === 'HEAD');
    });
    log('info', 'request', { ...factsOf(request, response.status), milliseconds: clock() - started });
    return response;
  });

  const held = createHeldAnswers();
  function withHold(request: ClientRequest, question: string | undefined): ClientRequest {
    if (question === undefined) return request;
    const hold = (answer: HeldAnswer, holds: () => boolean) =>
      held.hold(question, answer, factsOf(request, 200), holds);
    return { ...request, hold };
  }
  return {
    fetch: (request, connection) => app.fetch(request, connection),
    again(question) {
      const found = held.find(question);
      if (found) log('info', 'request', { ...found.facts, tier: 'held', milliseconds: 0 });
      return found?.answer;
    },
  };
}

function factsOf({ method, url, client, notes }: ClientRequest, status: number): Facts {
  return { method, path: withoutSealed(url.pathname), client: client.name, status, ...notes };
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
