import { createBudget } from './budget.ts';
import type { IpRange } from './config/ip-range.ts';
import { Failure } from './errors.ts';
import { accountOf } from './observability/account.ts';
import type { Log } from './observability/log.ts';
import type { Meter } from './observability/meter.ts';
import { createRequestNames } from './observability/request-id.ts';
import { createRequestLog, type Sent, withoutSecrets } from './observability/request-log.ts';
import { traceOf } from './observability/trace.ts';
import type { UnderWay } from './observability/under-way.ts';
import { errorAnswer, failureFrom } from './routes/answer.ts';
import { type ClientRequest, readClientRequest } from './routes/client-request.ts';
import type { Connection } from './routes/connection.ts';
import { createHeldAnswers, type HeldAnswer } from './routes/held-answers.ts';
import { v1ErrorAnswer } from './routes/v1/answer.ts';
import { type Place, placeOf } from './routing/place.ts';
import { isV1Path } from './v1-claims/claims.ts';

/** What of a request's headers names it. */
export type Said = Readonly<
  Partial<Record<'x-request-id' | 'traceparent' | 'tracestate', string | undefined>>
>;

/** A whole answer that is to be sent. */
export interface Again {
  readonly answer: HeldAnswer;
  /** For `X-Request-Id`. */
  readonly id: string;
  /** To be told when it has been sent. */
  readonly ended: (sent: Sent) => void;
}

/** Sees each request from its arrival to the last byte of its answer: names it, counts it, and writes it down. */
export interface Attendance {
  attend(raw: Request, connection: Connection | undefined): Promise<Response>;
  again(question: string, said: Said, peerAddress: string | undefined): Again | undefined;
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
}

/** @param answer for what is right; what it throws is told to the client in its own words. */
export function createAttendance(
  { log, clock, trustedProxies, subrequests, meter, underWay }: AttendanceOptions,
  answer: (request: ClientRequest, place: Place) => Promise<Response>,
): Attendance {
  const nameRequest = createRequestNames(trustedProxies);
  const lineFor = createRequestLog(log, meter);
  const held = createHeldAnswers();

  function withHold(request: ClientRequest, question: string | undefined): ClientRequest {
    if (question === undefined) return request;
    const hold = (found: HeldAnswer, holds: () => boolean) =>
      held.hold(question, found, lineFor(request, 200), holds);
    return { ...request, hold };
  }

  return {
    async attend(raw, connection) {
      const started = clock();
      const account = accountOf(raw.headers);
      const id = nameRequest(raw.headers.get('x-request-id'), connection?.peerAddress);
      const place = placeOf(raw, trustedProxies, connection);
      const asked = readClientRequest(raw, place.origin, createBudget(subrequests, account));
      const request = withHold(asked, connection?.question);
      const visit = underWay.enter();
      const response = await (visit ? answer(request, place) : Promise.reject(tooMany())).catch((error) => {
        report(log, request, error, id);
        return refusal(error, request);
      });
      visit?.answers();
      whenSent(connection, (sent) => {
        visit?.leave();
        const milliseconds = clock() - started;
        lineFor(request, response.status).ended({ id, trace: account.trace, account, milliseconds, sent });
      });
      connection?.announce?.('X-Request-Id', id);
      return response;
    },

    again(question, said, peerAddress) {
      const found = held.find(question);
      if (found === undefined) return undefined;
      const id = nameRequest(said['x-request-id'], peerAddress);
      const trace = traceOf(said.traceparent, said.tracestate);
      const ended = (sent: Sent) =>
        found.line.ended({ id, trace, account: undefined, milliseconds: 0, sent });
      return { answer: found.answer, id, ended };
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
