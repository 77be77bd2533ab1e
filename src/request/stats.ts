import { type Trace, traceOf } from './trace.ts';

/** Counts of the work done so far for one client request, for the log. */
export interface RequestStats {
  /** The trace of the request. */
  readonly trace: Trace | undefined;
  /** Requests to upstream, to its token server and to its storage. */
  upstreamRequests: number;
  /** The sum of the times from each of these requests until its response headers. */
  upstreamMilliseconds: number;
  /** The most distant source of content for the response. */
  contentFrom: ContentSource | undefined;
}

/** A place that content comes from. */
export interface ContentSource {
  /** `memory`, `upstream`, or the name of another cache tier. */
  readonly name: string;
  /** A larger number is more distant. */
  readonly distance: number;
}

/** A whole response from the response cache. */
export const responseCacheSource: ContentSource = { name: 'held', distance: 0 };

export const upstreamSource: ContentSource = { name: 'upstream', distance: Number.POSITIVE_INFINITY };

export function createRequestStats(trace?: Trace): RequestStats {
  return { trace, upstreamRequests: 0, upstreamMilliseconds: 0, contentFrom: undefined };
}

export function requestStatsOf(headers: Headers): RequestStats {
  return createRequestStats(traceOf(headers.get('traceparent'), headers.get('tracestate')));
}

/** Records a source of content, unless a more distant one is recorded. */
export function recordSource(stats: RequestStats | undefined, source: ContentSource): void {
  if (stats && source.distance >= (stats.contentFrom?.distance ?? 0)) stats.contentFrom = source;
}
