import { ownText } from '../cache/memory-bytes.ts';
import { withoutSealed } from '../client-state/upload-location.ts';
import { clientGroupOf } from '../negotiation/known-clients.ts';
import { bind, type Facts, type Log } from '../observability/log.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { ClientRequest } from '../registry/client-request.ts';
import { type RequestStats, responseCacheSource } from '../request/stats.ts';
import { type Trace, traceId } from '../request/trace.ts';
import type { SentResponse } from './env.ts';

/**
 * The part of a log line that is known before the response is sent. Requests with the same response-cache key share
 * it.
 */
export interface RequestLine {
  /** Writes the line and counts the response. */
  ended(end: RequestOutcome): void;
}

/** The part of a log line that is known when the response has ended. */
export interface RequestOutcome {
  readonly id: string;
  readonly trace: Trace | undefined;
  /** undefined for a response from the response cache. */
  readonly stats: RequestStats | undefined;
  readonly milliseconds: number;
  /** undefined where the runtime does not report the end of a response. */
  readonly sent: SentResponse | undefined;
}

export type CreateLogLine = (request: ClientRequest, status: number) => RequestLine;

/** Creates the writer of the access log: one line, and one count of each metric, per request. */
export function createAccessLog(log: Log, metrics: Metrics): CreateLogLine {
  return ({ method, url, client, notes }, status) => {
    const { route, resource, rule, conversion, ping, age, error, reason = reasonOf(status) } = notes;
    // The response cache keeps the line: a part of the URL would keep the whole of it.
    const path = ownText(loggedPath(url.pathname));
    const what = { client: client.name, route, resource, method, path, status };
    const why = { error, reason: reason && loggedReason(reason) };
    const line = bind(log, { ...what, rule, conversion, ping, staleAge: age, ...why } satisfies Facts);
    const level = status >= 500 && !notes.clientLeft ? 'warn' : 'info';
    // API v1 has no manifests: its clients ask once a pull for the ancestry of an image, which regshift makes.
    const isV1 = resource === 'v1-ancestry';
    const isManifest = status === 200 && (resource === 'manifest' || isV1);
    const form = conversion || isV1 ? 'converted' : 'stored';
    const manifestFor = isManifest ? ({ client: clientGroupOf(client.name), form } as const) : undefined;
    const stale = age !== undefined || ping === 'stale';
    const counted = { route: route ?? 'none', resource: resource ?? 'none', status, stale, manifestFor };
    return {
      ended({ id, trace, stats, milliseconds, sent }) {
        line(level, 'request', {
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

/** The reason of an error that the registry sent, and that passes unchanged: for uploads and other writes. */
function reasonOf(status: number): string | undefined {
  return status >= 500 ? `The registry answered with status ${status}.` : undefined;
}

/** The cache that content came from. Upstream has answered if upstream was asked and no cache had content. */
function placeOf({ contentFrom, upstreamRequests }: RequestStats): string | undefined {
  return contentFrom?.name ?? (upstreamRequests > 0 ? 'upstream' : undefined);
}

/** Longest path in the log, in characters. */
const pathLength = 512;

/**
 * A path for the log: without its secrets, which are a sealed upload location and the session that a client of API v1
 * brings back, and cut if it is too long.
 */
export function loggedPath(path: string): string {
  const shown = withoutSealed(path).replace(/^(\/+v1ctx\/)[^/]+/, '$1…');
  return shown.length > pathLength ? `${shown.slice(0, pathLength)}…` : shown;
}

/** A message for the log, without the secrets of paths that it may quote, and cut if it is too long. */
function loggedReason(message: string): string {
  const shown = message
    .replace(/(\bv1ctx\/)[^/\s"]+/g, '$1…')
    .replace(/\belsewhere(?:\.|%2e)[^/\s"]*/gi, 'elsewhere');
  return shown.length > reasonLength ? `${shown.slice(0, reasonLength)}…` : shown;
}

/** Longest reason in the log, in characters. */
const reasonLength = 1_024;
