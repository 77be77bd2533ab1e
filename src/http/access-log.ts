import { withoutSealed } from '../client-state/upload-location.ts';
import { bind, type Facts, type Log } from '../observability/log.ts';
import type { Meter } from '../observability/metrics.ts';
import type { ClientRequest } from '../registry/client-request.ts';
import { type Account, heldPlace } from '../request/stats.ts';
import { type Trace, traceId } from '../request/trace.ts';
import type { Sent } from './env.ts';

/** What is known of a request as soon as it is answered, and holds for each that asks the same. */
export interface RequestLine {
  /** Writes the line, and counts the answer. */
  ended(end: Ended): void;
}

/** Told when an answer has ended. */
export interface Ended {
  readonly id: string;
  readonly trace: Trace | undefined;
  /** undefined where the answer was at hand. */
  readonly account: Account | undefined;
  readonly milliseconds: number;
  /** undefined where the runtime does not tell: the answer is all that is known. */
  readonly sent: Sent | undefined;
}

export type StartLine = (request: ClientRequest, status: number) => RequestLine;

/** One line of the log, and the counters, for each request. */
export function createRequestLog(log: Log, meter: Meter): StartLine {
  return ({ method, url, client, notes }, status) => {
    const { route, resource, conversion, ping, staleAge, error } = notes;
    const path = withoutSecrets(url.pathname);
    const what = { client: client.name, route, resource, method, path, status };
    const line = bind(log, { ...what, conversion, ping, staleAge, error } satisfies Facts);
    const counted = { route: route ?? 'none', resource: resource ?? 'none', status };
    return {
      ended({ id, trace, account, milliseconds, sent }) {
        line('info', 'request', {
          id,
          trace: trace && traceId(trace),
          cache: account ? placeOf(account) : heldPlace.name,
          upstreamRequests: account?.upstreamRequests ?? 0,
          upstreamMilliseconds: Math.round(account?.upstreamMilliseconds ?? 0),
          bytes: sent?.bytes,
          milliseconds,
          cut: sent?.cut || undefined,
        } satisfies Facts);
        meter.answered({ ...counted, seconds: milliseconds / 1000, bytes: sent?.bytes });
      },
    };
  };
}

/** Where nothing came from a cache and upstream was asked, upstream has answered. */
function placeOf({ contentFrom, upstreamRequests }: Account): string | undefined {
  return contentFrom?.name ?? (upstreamRequests > 0 ? 'upstream' : undefined);
}

/** Of a path: an address that was sealed for one client, and what a client of API v1 was given to bring back. */
export function withoutSecrets(path: string): string {
  return withoutSealed(path).replace(/^(\/+v1ctx\/)[^/]+/, '$1…');
}
