import { isV1Path } from '../../client-state/v1-session.ts';
import { RegistryError } from '../../errors.ts';
import type { Log } from '../../observability/log.ts';
import type { Metrics } from '../../observability/metrics.ts';
import { type ClientRequest, readClientRequest } from '../../registry/client-request.ts';
import type { StartedRequest } from '../../registry/context.ts';
import { createBudget } from '../../request/budget.ts';
import { clientAddressOf } from '../../request/requester.ts';
import { requestStatsOf } from '../../request/stats.ts';
import { type RequestAuthority, requestAuthority } from '../../routing/authority.ts';
import { type IpRange, isInRanges } from '../../routing/ip-range.ts';
import { createAccessLog, withoutSecrets } from '../access-log.ts';
import type { ClientConnection, SentResponse } from '../env.ts';
import { errorResponse, registryErrorFrom } from '../errors.ts';
import type { InFlight } from '../in-flight.ts';
import { createRequestIds } from '../request-id.ts';
import { createResponseCache, type ResponseCache } from '../response-cache.ts';
import { v1ErrorResponse } from '../v1/responses.ts';

/** Sees each request from its arrival to the last byte of its answer: names it, counts it, and writes it down. */
export interface Attendance extends Pick<ResponseCache, 'lookup' | 'revalidate'> {
  attend(raw: Request, connection: ClientConnection | undefined): Promise<Response>;
}

export interface AttendanceOptions {
  /** Whose `X-Forwarded-*` and `X-Request-Id` are believed. */
  readonly trustedProxies: readonly IpRange[];
  /** How many requests of its own one request may cause. */
  readonly subrequests: number;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly inFlight: InFlight;
  /** Memory for whole answers. */
  readonly responseCacheBytes: number;
}

/** @param answer for what is right; what it throws is told to the client in its own words. */
export function createAttendance(
  options: AttendanceOptions,
  answer: (request: ClientRequest, authority: RequestAuthority) => Promise<Response>,
): Attendance {
  const { log, clock, trustedProxies, subrequests, metrics, inFlight } = options;
  const nameRequest = createRequestIds(trustedProxies);
  const lineFor = createAccessLog(log, metrics);
  const { lookup, revalidate, recorded } = createResponseCache(options, lineFor, nameRequest);

  /** What was begun by `renew`, or is begun now. */
  function begin(raw: Request, connection: ClientConnection | undefined): StartedRequest {
    if (connection?.started) return connection.started;
    const budget = createBudget(subrequests, requestStatsOf(raw.headers));
    return { started: clock(), budget, signal: raw.signal };
  }

  function addressOf(headers: Headers, connection: ClientConnection | undefined): string {
    const { clientAddress, peerAddress } = connection ?? {};
    const isTrusted = (each: string) => isInRanges(trustedProxies, each);
    return clientAddressOf(clientAddress ?? peerAddress, headers.get('x-forwarded-for'), isTrusted);
  }

  return {
    lookup,
    revalidate,

    async attend(raw, connection) {
      const started = begin(raw, connection);
      const { stats } = started.budget;
      const id = nameRequest(raw.headers.get('x-request-id'), connection?.peerAddress);
      const authority = requestAuthority(raw, trustedProxies, connection);
      const address = addressOf(raw.headers, connection);
      const request = recorded(
        readClientRequest(raw, authority.origin, address, started),
        connection?.cacheKey,
      );
      const slot = inFlight.acquire();
      const response = await (slot ? answer(request, authority) : Promise.reject(tooMany())).catch(
        (error) => {
          report(log, request, error, id);
          return refusal(error, request);
        },
      );
      slot?.responding();
      whenSent(connection, (sent) => {
        slot?.release();
        const milliseconds = clock() - started.started;
        lineFor(request, response.status).ended({ id, trace: stats.trace, stats, milliseconds, sent });
      });
      connection?.setHeader?.('X-Request-Id', id);
      return response;
    },
  };
}

function whenSent(connection: ClientConnection | undefined, ended: (sent?: SentResponse) => void): void {
  if (connection?.whenSent) connection.whenSent(ended);
  else ended();
}

function refusal(error: unknown, request: ClientRequest): Response {
  if (isV1Path(request.url.pathname)) return v1ErrorResponse(error, request);
  return errorResponse(error, request.method === 'HEAD');
}

function tooMany(): RegistryError {
  const message =
    'As many requests are under way here as may be (REGSHIFT_MAX_REQUESTS). Try again in a few seconds.';
  return new RegistryError('OVERLOADED', message, { headers: { 'retry-after': '5' } });
}

/** What the operator should see; the client is told in its own words. */
function report(log: Log, request: ClientRequest, error: unknown, id: string): void {
  const failure = registryErrorFrom(error);
  request.notes.error = failure.code;
  // A client that left is no fault of anyone's.
  const unexpected = failure.code === 'INTERNAL' && !request.context.signal?.aborted;
  log(unexpected ? 'error' : 'debug', 'request failed', {
    id,
    path: withoutSecrets(request.url.pathname),
    code: failure.code,
    reason: failure.message,
    ...(unexpected && error instanceof Error ? { stack: error.stack } : {}),
  });
}
