import type { ClientRequest } from '../routes/client-request.ts';
import { withoutSealed } from '../uploads/elsewhere.ts';
import type { Account } from './account.ts';
import type { Facts, Log } from './log.ts';
import type { Meter } from './meter.ts';
import { type Trace, traceId } from './trace.ts';

/** What became of an answer. */
export interface Sent {
  /** On the connection, headers included. */
  readonly bytes: number;
  /** It ended before it was whole: the client left, or what it was made from broke. */
  readonly cut: boolean;
}

/** What is known of a request as soon as it is answered, and holds for each that asks the same. */
export type RequestFacts = Pick<ClientRequest, 'method' | 'notes'> & {
  readonly client: string;
  readonly path: string;
  readonly status: number;
};

export function requestFacts(request: ClientRequest, status: number): RequestFacts {
  const { method, url, client, notes } = request;
  return { method, client: client.name, path: withoutSecrets(url.pathname), status, notes };
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

/** One line of the log, and the counters, for each request. */
export function createRequestLog(log: Log, meter: Meter): (facts: RequestFacts, ended: Ended) => void {
  return ({ method, path, client, status, notes }, { id, trace, account, milliseconds, sent }) => {
    const { route, resource, conversion, ping, staleAge, error } = notes;
    log('info', 'request', {
      id,
      trace: trace && traceId(trace),
      client,
      route,
      resource,
      method,
      path,
      status,
      conversion,
      ping,
      cache: account ? placeOf(account) : 'held',
      upstreamRequests: account?.upstreamRequests ?? 0,
      upstreamMilliseconds: Math.round(account?.upstreamMilliseconds ?? 0),
      bytes: sent?.bytes,
      milliseconds,
      staleAge,
      error,
      cut: sent?.cut || undefined,
    } satisfies Facts);
    meter.answered({
      route: route ?? 'none',
      resource: resource ?? 'none',
      status,
      seconds: milliseconds / 1000,
      bytes: sent?.bytes,
    });
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
