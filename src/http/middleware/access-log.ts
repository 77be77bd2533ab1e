import type { Context, MiddlewareHandler } from 'hono';
import type { Clock } from '../../clock.ts';
import type { Log } from '../../observability/log.ts';
import { readClientRequest } from '../../registry/client-request.ts';
import type { StartedRequest } from '../../registry/context.ts';
import { createBudget } from '../../request/budget.ts';
import { clientAddressOf } from '../../request/requester.ts';
import { requestStatsOf } from '../../request/stats.ts';
import { requestAuthority } from '../../routing/authority.ts';
import { type IpRange, isInRanges } from '../../routing/ip-range.ts';
import { type CreateLogLine, loggedPath } from '../access-log.ts';
import { type ClientConnection, type Env, responseFinished } from '../env.ts';
import { registryErrorFrom } from '../errors.ts';
import type { RequestIds } from '../request-id.ts';
import type { ResponseCache } from '../response-cache.ts';
import { respondWithError } from './error-response.ts';

export interface AccessLogOptions {
  /** Peers whose `X-Forwarded-*` and `X-Request-Id` are believed. */
  readonly trustedProxies: readonly IpRange[];
  /** Maximum number of upstream and cache requests per client request. */
  readonly subrequests: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** The parts that this middleware shares with the response cache. */
export interface AccessLogParts {
  readonly logLine: CreateLogLine;
  readonly requestId: RequestIds;
  readonly responseCache: Pick<ResponseCache, 'recorded'>;
}

/**
 * The outermost middleware. It reads the request, gives it an id, and writes one line to the access log when the
 * response has been sent.
 */
export function accessLog(options: AccessLogOptions, parts: AccessLogParts): MiddlewareHandler<Env> {
  const { log, clock, trustedProxies } = options;
  const { logLine, requestId, responseCache } = parts;
  return async (context, next) => {
    const { env: connection } = context;
    const raw = context.req.raw;
    const started = connection.started ?? start(raw, options);
    const { stats } = started.budget;
    const id = requestId(raw.headers.get('x-request-id'), connection.peerAddress);
    const authority = requestAuthority(raw, trustedProxies, connection);
    const address = addressOf(raw.headers, connection, trustedProxies);
    const request = responseCache.recorded(
      readClientRequest(raw, authority.origin, address, started),
      connection.cacheKey,
    );
    context.set('authority', authority);
    context.set('received', request);
    await nextOrError(context, next);
    if (context.get('failure') !== undefined) report(context, log, id);
    const { status } = context.res;
    responseFinished(connection, (sent) => {
      const milliseconds = clock() - started.started;
      logLine(request, status).ended({ id, trace: stats.trace, stats, milliseconds, sent });
    });
    connection.setHeader?.('X-Request-Id', id);
  };
}

function start(raw: Request, { subrequests, clock }: AccessLogOptions): StartedRequest {
  const budget = createBudget(subrequests, requestStatsOf(raw.headers));
  return { started: clock(), budget, signal: raw.signal };
}

function addressOf(
  headers: Headers,
  { peerAddress }: ClientConnection,
  trustedProxies: readonly IpRange[],
): string {
  const isTrusted = (each: string) => isInRanges(trustedProxies, each);
  return clientAddressOf(peerAddress, headers.get('x-forwarded-for'), isTrusted);
}

/** Hono gives `onError` instances of Error only; Node aborts a request that its client has left with a string. */
async function nextOrError(context: Context<Env>, next: () => Promise<void>): Promise<void> {
  try {
    await next();
  } catch (thrown) {
    context.res = await respondWithError(thrown, context);
  }
}

/** No client gets it. Logs, metrics and an app around regshift would count a 500 as a fault; nginx logs this status, too. */
const clientLeftStatus = 499;

/** Notes the reason for the line of the request; the client gets it in the response. A fault of regshift has a stack. */
function report(context: Context<Env>, log: Log, id: string): void {
  const { notes, url, context: own } = context.get('received');
  const thrown = context.get('failure');
  const { code, message } = registryErrorFrom(thrown);
  if (code === 'INTERNAL' && own.signal?.aborted) {
    notes.clientLeft = true;
    notes.reason = 'The client left before the response.';
    context.res = new Response(null, { status: clientLeftStatus });
    return;
  }
  notes.error = code;
  if (code !== 'INTERNAL') {
    notes.reason = message;
    return;
  }
  notes.reason = thrown instanceof Error ? thrown.message : message;
  log('error', 'request failed', {
    id,
    path: loggedPath(url.pathname),
    code,
    reason: notes.reason,
    ...(thrown instanceof Error ? { stack: thrown.stack } : {}),
  });
}
