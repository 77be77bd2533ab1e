import { isDeadline } from '../concurrency/deadline.ts';
import { RegistryError } from '../errors.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Budget } from '../request/budget.ts';
import type { Trace } from '../request/trace.ts';
import { withPlainWords } from './body.ts';
import {
  isConnectionCut,
  networkError,
  StandstillError,
  standstillTimeout,
  timeoutError,
} from './network-errors.ts';

/** The part of the web's `fetch` that is used; the embedded sample registry is one too. */
export type Fetch = (url: string, init: FetchInit) => Promise<Response>;

/** A runtime that does not choose the addresses of its connections ignores the members beside those of the web. */
export interface FetchInit extends RequestInit {
  /** The addresses that the request may connect to; without it, all. */
  readonly addresses?: AddressRule;
  /** A request or body that has no byte in either direction for this long ends, in milliseconds. */
  readonly standstillMs?: number | undefined;
  /** Called before the response with the address that it comes from. */
  readonly onPeer?: (address: string) => void;
}

/** Decides about each address before a connection to it. A URL without a name is checked before the request. */
export interface AddressRule {
  /** Only requests with the same key share connections. */
  readonly key: string;
  /** @returns the error of a request that must not connect to the address; undefined if it may. */
  refusal(address: string): Promise<RegistryError | undefined>;
}

/** Whether a request can be sent again: a stream can be sent once. */
export function isRepeatable({ body }: { readonly body?: unknown }): boolean {
  return !(body instanceof ReadableStream);
}

/** The headers of a request to upstream. The names are in lower case. */
export type SentHeaders = Readonly<Record<string, string>>;

export type Method = 'GET' | 'HEAD' | 'OPTIONS' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface Sender {
  readonly fetch: Fetch;
  readonly method: Method;
  readonly body?: string | Uint8Array | ReadableStream<Uint8Array>;
  /** A signal of `withDeadline` or a function like it; `milliseconds` and `caller` are the first two arguments. */
  readonly signal: AbortSignal;
  readonly milliseconds: number;
  /** True if no setting changes `milliseconds`. */
  readonly isFixed?: boolean | undefined;
  readonly caller: AbortSignal | undefined;
  /** As in `FetchInit`. */
  readonly standstillMs?: number | undefined;
  readonly budget: Budget | undefined;
}

/** Node refuses to send a stream without this option (Fetch standard, "duplex"); Workers do not know it. */
const streaming: object = { duplex: 'half' };

/**
 * Sends one request and follows no redirect. The words of an error are plain (`withPlainWords`).
 * @throws RegistryError UPSTREAM_UNREACHABLE or UPSTREAM_TIMEOUT; as `Budget.spend`; the reason of the caller's signal.
 */
export async function send(sender: Sender, url: URL, headers: SentHeaders): Promise<Response> {
  try {
    const response = await sendOnce(sender, url, headers).catch((error: unknown) => {
      if (!mayRepeat(sender, error)) throw error;
      return sendOnce(sender, url, headers);
    });
    return response.status < 400 ? response : await withPlainWords(response);
  } catch (error) {
    const { method, signal } = sender;
    sender.caller?.throwIfAborted();
    if (isDeadline(signal)) throw timeoutError(sender.milliseconds, method, url, sender.isFixed);
    if (error instanceof StandstillError) throw standstillTimeout(error, method, url);
    throw error instanceof RegistryError ? error : networkError(error, method, url);
  }
}

async function sendOnce(
  { fetch, method, signal, body, budget, standstillMs }: Sender,
  url: URL,
  own: SentHeaders,
) {
  budget?.spend();
  const { stats } = budget ?? {};
  const headers = stats?.trace ? { ...own, ...traceHeaders(stats.trace) } : own;
  const init = { method, headers, redirect: 'manual' as const, signal, standstillMs };
  const sent = body === undefined ? {} : { body, ...(body instanceof ReadableStream ? streaming : {}) };
  const started = performance.now();
  try {
    return await fetch(url.href, { ...init, ...sent });
  } finally {
    if (stats) {
      stats.upstreamRequests += 1;
      stats.upstreamMilliseconds += performance.now() - started;
    }
  }
}

/** Passes the trace of the client's request on to upstream. */
function traceHeaders({ traceparent, tracestate }: Trace): SentHeaders {
  return tracestate === undefined ? { traceparent } : { traceparent, tracestate };
}

/**
 * Whether a request is sent once more. A server may close an idle connection just when it is used again. GET and HEAD
 * change nothing and are sent once more (RFC 9110, section 9.2.2).
 */
function mayRepeat({ method, signal }: Sender, error: unknown): boolean {
  return (method === 'GET' || method === 'HEAD') && !signal.aborted && isConnectionCut(error);
}

/**
 * Seconds without a response that count although the client has left. A client that leaves earlier says nothing about the
 * registry, and clients give up on a registry that hangs later than that.
 */
const leastWait = 1;

/**
 * A `fetch` whose responses are counted.
 * @param route the id of the route; requests to its token server and its storage count too.
 */
export function meteredFetch(fetch: Fetch, route: string, metrics: Metrics): Fetch {
  return async (url, init) => {
    const started = performance.now();
    const seconds = () => (performance.now() - started) / 1000;
    try {
      const response = await fetch(url, init);
      metrics.upstreamResponse(route, response.status, seconds());
      countPulls(response.headers.get('ratelimit-remaining') ?? '', route, metrics);
      return response;
    } catch (error) {
      const isLeft = init.signal?.aborted === true && !isDeadline(init.signal);
      if (!isLeft || seconds() >= leastWait) metrics.upstreamResponse(route, undefined, seconds());
      throw error;
    }
  };
}

/** The window of Docker Hub, in seconds, for a registry that names none. */
const usualWindow = 21_600;

/** Docker Hub writes `76;w=21600`: the pulls that are left, and the seconds in which they are counted. */
function countPulls(remaining: string, route: string, metrics: Metrics): void {
  const [, left, window = usualWindow] = /^\s*(\d+)(?:\s*;\s*w=(\d+))?/.exec(remaining) ?? [];
  if (left !== undefined) metrics.pullsRemaining(route, Number(left), Number(window));
}
