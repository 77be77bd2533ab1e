import { isV1Path } from '../../client-state/v1-session.ts';
import { Failure } from '../../errors.ts';
import type { Log } from '../../observability/log.ts';
import type { Meter } from '../../observability/metrics.ts';
import { type ClientRequest, readClientRequest } from '../../registry/client-request.ts';
import type { Begun } from '../../registry/context.ts';
import { createBudget } from '../../request/budget.ts';
import { clientAddressOf } from '../../request/requester.ts';
import { accountOf } from '../../request/stats.ts';
import { type Place, placeOf } from '../../routing/authority.ts';
import { type IpRange, isInRanges } from '../../routing/ip-range.ts';
import { createRequestLog, withoutSecrets } from '../access-log.ts';
import type { Connection, Sent } from '../env.ts';
import { errorAnswer, failureFrom } from '../errors.ts';
import type { UnderWay } from '../in-flight.ts';
import { createRequestNames } from '../request-id.ts';
import { createRepetition, type Repetition } from '../response-cache.ts';
import { v1ErrorAnswer } from '../v1/responses.ts';

/** Sees each request from its arrival to the last byte of its answer: names it, counts it, and writes it down. */
export interface Attendance extends Pick<Repetition, 'again' | 'renew'> {
  attend(raw: Request, connection: Connection | undefined): Promise<Response>;
}

export interface AttendanceOptions {
  /** Whose `X-Forwarded-*` and `X-Request-Id` are believed. */
  readonly trustedProxies: readonly IpRange[];
  /** How many requests of its own one request may cause. */
  readonly subrequests: number;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly log: Log;
  readonly meter: Meter;
  readonly underWay: UnderWay;
  /** Memory for whole answers. */
  readonly heldBytes: number;
}

/** @param answer for what is right; what it throws is told to the client in its own words. */
export function createAttendance(
  options: AttendanceOptions,
  answer: (request: ClientRequest, place: Place) => Promise<Response>,
): Attendance {
  const { log, clock, trustedProxies, subrequests, meter, underWay } = options;
  const nameRequest = createRequestNames(trustedProxies);
  const lineFor = createRequestLog(log, meter);
  const { again, renew, remembering } = createRepetition(options, lineFor, nameRequest);

  /** What was begun by `renew`, or is begun now. */
  function begin(raw: Request, connection: Connection | undefined): Begun {
    if (connection?.begun) return connection.begun;
    const budget = createBudget(subrequests, accountOf(raw.headers));
    return { started: clock(), budget, signal: raw.signal };
  }

  function addressOf(headers: Headers, connection: Connection | undefined): string {
    const { clientAddress, peerAddress } = connection ?? {};
    const isTrusted = (each: string) => isInRanges(trustedProxies, each);
    return clientAddressOf(clientAddress ?? peerAddress, headers.get('x-forwarded-for'), isTrusted);
  }

  return {
    again,
    renew,

    async attend(raw, connection) {
      const begun = begin(raw, connection);
      const { account } = begun.budget;
      const id = nameRequest(raw.headers.get('x-request-id'), connection?.peerAddress);
      const place = placeOf(raw, trustedProxies, connection);
      const address = addressOf(raw.headers, connection);
      const request = remembering(readClientRequest(raw, place.origin, address, begun), connection?.question);
      const visit = underWay.enter();
      const response = await (visit ? answer(request, place) : Promise.reject(tooMany())).catch((error) => {
        report(log, request, error, id);
        return refusal(error, request);
      });
      visit?.answers();
      whenSent(connection, (sent) => {
        visit?.leave();
        const milliseconds = clock() - begun.started;
        lineFor(request, response.status).ended({ id, trace: account.trace, account, milliseconds, sent });
      });
      connection?.announce?.('X-Request-Id', id);
      return response;
    },
  };
}

function whenSent(connection: Connection | undefined, ended: (sent?: Sent) => void): void {
  if (connection?.whenSent) connection.whenSent(ended);
  else ended();
}

function refusal(error: unknown, request: ClientRequest): Response {
  if (isV1Path(request.url.pathname)) return v1ErrorAnswer(error, request);
  return errorAnswer(error, request.method === 'HEAD');
}

function tooMany(): Failure {
  const message =
    'As many requests are under way here as may be (REGSHIFT_MAX_REQUESTS). Try again in a few seconds.';
  return new Failure('OVERLOADED', message, { headers: { 'retry-after': '5' } });
}

/** What the operator should see; the client is told in its own words. */
function report(log: Log, request: ClientRequest, error: unknown, id: string): void {
  const failure = failureFrom(error);
  request.notes.error = failure.code;
  // A client that left is no fault of anyone's.
  const unexpected = failure.code === 'INTERNAL' && !request.caller.signal?.aborted;
  log(unexpected ? 'error' : 'debug', 'request failed', {
    id,
    path: withoutSecrets(request.url.pathname),
    code: failure.code,
    reason: failure.message,
    ...(unexpected && error instanceof Error ? { stack: error.stack } : {}),
  });
}
