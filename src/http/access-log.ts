import { withoutSealed } from '../client-state/upload-location.ts';
import { bind, type Facts, type Log } from '../observability/log.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { ClientRequest } from '../registry/client-request.ts';
import { type RequestStats, responseCacheSource } from '../request/stats.ts';
import { type Trace, traceId } from '../request/trace.ts';
import type { SentResponse } from './env.ts';

/** What is known of a request as soon as it is answered, and holds for each that asks the same. */
export interface RequestLine {
  /** Writes the line, and counts the answer. */
  ended(end: RequestOutcome): void;
}

/** Told when an answer has ended. */
export interface RequestOutcome {
  readonly id: string;
  readonly trace: Trace | undefined;
  /** undefined where the answer was at hand. */
  readonly stats: RequestStats | undefined;
  readonly milliseconds: number;
  /** undefined where the runtime does not tell: the answer is all that is known. */
  readonly sent: SentResponse | undefined;
}

export type CreateLogLine = (request: ClientRequest, status: number) => RequestLine;

/** One line of the log, and the counters, for each request. */
export function createAccessLog(log: Log, metrics: Metrics): CreateLogLine {
  return ({ method, url, client, notes }, status) => {
    const { route, resource, conversion, ping, age, error } = notes;
    const path = withoutSecrets(url.pathname);
    const what = { client: client.name, route, resource, method, path, status };
    const line = bind(log, { ...what, conversion, ping, staleAge: age, error } satisfies Facts);
    const counted = { route: route ?? 'none', resource: resource ?? 'none', status };
    return {
      ended({ id, trace, stats, milliseconds, sent }) {
        line('info', 'request', {
          id,
          trace: trace && traceId(trace),
          cache: stats ? placeOf(stats) : responseCacheSource.name,
          upstreamRequests: stats?.upstreamRequests ?? 0,
          upstreamMilliseconds: Math.round(stats?.upstreamMilliseconds ?? 0),
          bytes: sent?.bytes,
          milliseconds,
          cut: sent?.aborted || undefined,
        } satisfies Facts);
        metrics.responseSent({ ...counted, seconds: milliseconds / 1000, bytes: sent?.bytes });
      },
    };
  };
}

/** Where nothing came from a cache and upstream was asked, upstream has answered. */
function placeOf({ contentFrom, upstreamRequests }: RequestStats): string | undefined {
  return contentFrom?.name ?? (upstreamRequests > 0 ? 'upstream' : undefined);
}

/** Of a path: an address that was sealed for one client, and what a client of API v1 was given to bring back. */
export function withoutSecrets(path: string): string {
  return withoutSealed(path).replace(/^(\/+v1ctx\/)[^/]+/, '$1…');
}
