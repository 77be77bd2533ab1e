import { type Trace, traceOf } from './trace.ts';

/** What one request of a client has caused so far: for the log. */
export interface RequestStats {
  /** The trace that it belongs to. */
  readonly trace: Trace | undefined;
  /** Questions to upstream, to its token server and to its storage. */
  upstreamRequests: number;
  /** From each of these until its headers came, together. */
  upstreamMilliseconds: number;
  /** The farthest place that content for the answer came from. */
  contentFrom: ContentSource | undefined;
}

export interface ContentSource {
  /** `memory`, `upstream`, or what a tier of the cache is called. */
  readonly name: string;
  /** What is farther away has the larger number. */
  readonly distance: number;
}

/** A whole answer, given again. */
export const responseCacheSource: ContentSource = { name: 'held', distance: 0 };

export const upstreamSource: ContentSource = { name: 'upstream', distance: Number.POSITIVE_INFINITY };

export function createRequestStats(trace?: Trace): RequestStats {
  return { trace, upstreamRequests: 0, upstreamMilliseconds: 0, contentFrom: undefined };
}

export function requestStatsOf(headers: Headers): RequestStats {
  return createRequestStats(traceOf(headers.get('traceparent'), headers.get('tracestate')));
}

/** Notes that content came from there. */
export function recordSource(stats: RequestStats | undefined, place: ContentSource): void {
  if (stats && place.distance >= (stats.contentFrom?.distance ?? 0)) stats.contentFrom = place;
}
