import { withDeadline, withDeadlineForHead } from '../concurrency/deadline.ts';
import type { Budget } from '../request/budget.ts';
import { type Followed, followRedirects } from './redirect.ts';
import { type Fetch, type Method, type SentHeaders, send } from './send.ts';
import { usualTimeouts } from './timeouts.ts';

/** The parts of a request that decide how it is sent, and for how long it may take. */
export interface ExchangedRequest {
  /** Redirects of a request that writes are not followed: the caller gets them. */
  readonly method: Method;
  /**
   * A stream is sent once: the caller gets a 401 to it. Bytes are sent again with a new token. Nothing but the caller's
   * signal ends a body. `headers` have its length, if that is known.
   */
  readonly body?: ReadableStream<Uint8Array> | Uint8Array | undefined;
  /** Aborts the request, up to the last byte of the response's body. */
  readonly signal?: AbortSignal | undefined;
  /** Counts every request that this one leads to: redirects, challenges, tokens. */
  readonly budget?: Budget | undefined;
  /** True for a blob that passes to a client: only a standstill limits it. Writes need no mark. */
  readonly mayStandStill?: boolean;
  /** 'return' returns a redirect that leads away from the registry instead of following it. */
  readonly redirects?: 'follow' | 'return';
}

export interface ExchangeOptions {
  readonly fetch: Fetch;
  /** Milliseconds from the request to the headers after the last redirect, and for a token; a body may take longer. */
  readonly headersDeadlineMs?: number;
  /** Milliseconds without a byte in either direction, for writes and for blobs that pass to clients. */
  readonly standstillMs?: number;
  /** Replaces both for `GET` and `HEAD`, because another registry can answer them. */
  readonly failoverMs?: number | undefined;
}

/** Sends one request to upstream, with the redirects that it leads to. */
export function exchange(
  options: ExchangeOptions,
  request: ExchangedRequest,
  url: URL,
  headers: SentHeaders,
): Promise<Followed> {
  const { method, signal: caller, budget, body } = request;
  const { milliseconds, standstillMs } = limitsOf(options, request);
  const isFixed = isRead(request) && options.failoverMs !== undefined;
  const sender = { fetch: options.fetch, method, milliseconds, isFixed, caller, budget, standstillMs };
  if (body !== undefined) {
    // A body may take any time: the runtime ends a request that stands still.
    const signal = caller ?? new AbortController().signal;
    return send({ ...sender, signal, body }, url, headers).then((response) => notFollowed(response, url));
  }
  const within = method === 'HEAD' ? withDeadline : withDeadlineForHead;
  return within(milliseconds, caller, async (signal) => {
    if (!isRead(request)) return notFollowed(await send({ ...sender, signal }, url, headers), url);
    const until = request.redirects === 'return' ? 'other origin' : 'the end';
    const hopTo = (hop: URL, hopHeaders: SentHeaders) => send({ ...sender, signal }, hop, hopHeaders);
    return await followRedirects(url, headers, hopTo, until);
  });
}

/** A request without a body waits for the first byte alone, so a deadline limits its standstill on each runtime. */
function limitsOf(
  {
    headersDeadlineMs = usualTimeouts.answerMs,
    failoverMs,
    standstillMs = usualTimeouts.standstillMs,
  }: ExchangeOptions,
  request: ExchangedRequest,
) {
  if (isRead(request) && failoverMs !== undefined)
    return { milliseconds: failoverMs, standstillMs: undefined };
  if (isRead(request) && !request.mayStandStill)
    return { milliseconds: headersDeadlineMs, standstillMs: undefined };
  return { milliseconds: standstillMs, standstillMs };
}

/** Whether a request writes nothing. */
export function isRead({ method }: Pick<ExchangedRequest, 'method'>): boolean {
  return method === 'GET' || method === 'HEAD';
}

/** A response without redirects. */
function notFollowed(response: Response, url: URL): Followed {
  return { response, url, leftOrigin: false };
}
