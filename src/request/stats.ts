import { type Trace, traceOf } from './trace.ts';

/** What one request of a client has caused so far: for the log. */
export interface Account {
  /** The trace that it belongs to. */
  readonly trace: Trace | undefined;
  /** Questions to upstream, to its token server and to its storage. */
  upstreamRequests: number;
  /** From each of these until its headers came, together. */
  upstreamMilliseconds: number;
  /** The farthest place that content for the answer came from. */
  contentFrom: PlaceOfContent | undefined;
}

export interface PlaceOfContent {
  /** `memory`, `upstream`, or what a tier of the cache is called. */
  readonly name: string;
  /** What is farther away has the larger number. */
  readonly distance: number;
}

/** A whole answer, given again. */
export const heldPlace: PlaceOfContent = { name: 'held', distance: 0 };

export const upstreamPlace: PlaceOfContent = { name: 'upstream', distance: Number.POSITIVE_INFINITY };

export function openAccount(trace?: Trace): Account {
  return { trace, upstreamRequests: 0, upstreamMilliseconds: 0, contentFrom: undefined };
}

export function accountOf(headers: Headers): Account {
  return openAccount(traceOf(headers.get('traceparent'), headers.get('tracestate')));
}

/** Notes that content came from there. */
export function cameFrom(account: Account | undefined, place: PlaceOfContent): void {
  if (account && place.distance >= (account.contentFrom?.distance ?? 0)) account.contentFrom = place;
}
