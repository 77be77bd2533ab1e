import type { ClientRequest, IncomingMessage } from 'node:http';
import { pipeline, Readable } from 'node:stream';
import type { ReadableStream as NodeReadableStream } from 'node:stream/web';
import { systemClock } from '../../../clock.ts';
import { eitherSignal } from '../../../concurrency/deadline.ts';
import type { Log } from '../../../observability/log.ts';
import { OutboundProxyError, StandstillError } from '../../../upstream/network-errors.ts';
import type { Fetch, FetchInit, SentHeaders } from '../../../upstream/send.ts';
import { countBuffer } from '../garbage.ts';
import { errorFields } from '../uncaught.ts';
import { bodyOf } from './body-stream.ts';
import { resolvedPeer } from './connection-rules.ts';
import { type ConnectionOptions, createConnections } from './connections.ts';
import { guardEvents } from './guarded-events.ts';
import { closeIdle, idleTime, probeSlowly, recordIdle } from './kept-connections.ts';
import { watchStandstill } from './standstill.ts';
import { readAfterFailedWrites } from './write-errors.ts';

/**
 * Time without a byte after which a body that regshift reads itself breaks off, in milliseconds. It may hold memory that
 * others wait for, and its reader asks for the rest (`resumedBody`).
 */
const usualSilenceMs = 60_000;

/** The times after which a kept connection counts as dropped by a firewall or NAT, in milliseconds. */
export interface KeptConnectionTimes {
  /** A connection that was idle for less is trusted. */
  readonly suspectMs: number;
  /** Time without a byte after a request on a suspect connection, before the request is sent on a new one, too. */
  readonly hedgeMs: number;
}

const usualTimes: KeptConnectionTimes = { suspectMs: 5_000, hedgeMs: 5_000 };

/**
 * Creates a `fetch` on Node's own HTTP client. It costs half as much as the built-in one, decodes no encoding, adds
 * Host and Connection only, and an unread body can be relayed as the message that it is (`nativeBody`). It follows no
 * redirect, keeps no cookie, and keeps connections for the next request.
 * @param silenceMs a body without `standstillMs` breaks off after this long without a byte, or a twentieth longer at most.
 * @param log gets a line for each connection that ended because of an exception in the proxy.
 * @param connections the way to the hosts; by default, direct connections with the runtime's authorities.
 * @returns rejects with the system's error, StandstillError, OutboundProxyError or the signal's reason; reading the body
 *   does too.
 */
export function createHttpFetch(
  silenceMs = usualSilenceMs,
  log: Log = () => {},
  connections: ConnectionOptions = {},
  times = usualTimes,
): Fetch {
  const connect = createConnections(connections);
  const thinking = createThinkingHosts();

  function exchange(href: string, init: FetchInit, mayRepeat: boolean): Promise<Response> {
    const { method = 'GET', headers, body, signal, addresses, onPeer, standstillMs } = init;
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const url = new URL(href);
      const departure = connect(url, addresses);
      if (!mayRepeat && !isRepeatable(init)) closeIdle(departure.options, times.suspectMs);
      const sent = departure.request({ ...departure.options, method, maxHeaderSize });
      try {
        for (const [name, value] of entriesOf(headers)) sent.setHeader(name, value);
        for (const [name, value] of entriesOf(departure.headers)) sent.setHeader(name, value);
      } catch (error) {
        // The request has asked for a connection already, which no other request would get.
        sent.on('error', () => undefined).destroy();
        throw error;
      }
      const fail = (error: unknown) => {
        log('error', 'a request to upstream ends: an event of it could not be handled', errorFields(error));
        sent.destroy();
        reject(error);
      };
      guardEvents(sent, fail);
      let response: IncomingMessage | undefined;
      let repeat: Repeat | undefined;
      const abort = () => sent.destroy(signal?.reason);
      signal?.addEventListener('abort', abort, { once: true });
      // A signal may outlive the request, so the request removes its listener.
      sent.once('close', () => {
        signal?.removeEventListener('abort', abort);
        if (sent.socket) recordIdle(sent.socket);
        // Without a response and without an error, upstream has switched to another protocol, and Node has closed the
        // connection.
        if (!(response || repeat)) reject(new Error('The connection was closed without an answer'));
      });
      sent.on('error', (error) => {
        // Node reports a reset before it ends a body without a length (`socketErrorListener` of its HTTP client):
        // such a body is not whole.
        if (response && !response.complete) response.destroy(error);
        const isOurs = signal?.aborted || error instanceof StandstillError;
        const reason = isOurs ? (signal?.reason ?? error) : blamed(error, departure.forwardedBy);
        if (repeat) repeat.response.catch(() => reject(reason));
        else reject(reason);
      });
      sent.once('response', (incoming) => {
        response = incoming;
        guardEvents(incoming, fail);
        if (repeat) thinking.add(url.host);
        repeat?.cancel();
        if (departure.forwardedBy && isProxyAnswer(incoming)) {
          sent.destroy();
          return reject(new OutboundProxyError(departure.forwardedBy, incoming.statusCode ?? 0));
        }
        // Upstream does not need the rest of a refused body (RFC 9112, section 9.5), and must not take a part for the whole.
        if (body && (incoming.statusCode ?? 0) >= 400) {
          incoming.once('end', () => sent.writableEnded || sent.destroy());
        }
        const peer = onPeer && resolvedPeer(incoming.socket);
        if (peer !== undefined) onPeer?.(peer);
        try {
          resolve(asResponse(incoming, method, signal, standstillMs ?? silenceMs));
        } catch (error) {
          sent.destroy();
          reject(error);
        }
      });
      probeSlowly(sent);
      if (body) sent.once('socket', readAfterFailedWrites);
      if (standstillMs !== undefined && body) breakStandstill(sent, standstillMs);
      if (mayRepeat) {
        afterSilence(sent, times, () => {
          if (thinking.has(url.host)) return;
          closeIdle(departure.options, 0);
          repeat = sendAgain(href, init);
          const win = (first: Response) => {
            resolve(first);
            sent.destroy();
          };
          repeat.response.then(win, () => undefined);
        });
      }
      send(sent, body);
    });
  }

  function sendAgain(href: string, init: FetchInit): Repeat {
    const lost = new AbortController();
    const signal = eitherSignal(init.signal ?? undefined, lost.signal);
    return { response: exchange(href, { ...init, signal }, false), cancel: () => lost.abort() };
  }

  return (href, init) => exchange(href, init, isRepeatable(init));
}

/** Most requests have a record, which needs no `Headers`. */
function entriesOf(headers: RequestInit['headers']): Iterable<readonly [string, string]> {
  if (headers instanceof Headers || Array.isArray(headers)) return new Headers(headers);
  return Object.entries((headers ?? {}) as SentHeaders);
}

/** The same request on a new connection. The first answer counts. */
interface Repeat {
  readonly response: Promise<Response>;
  readonly cancel: () => void;
}

/** GET and HEAD change nothing (RFC 9110, section 9.2.2). */
function isRepeatable({ method = 'GET', body }: FetchInit): boolean {
  return (method === 'GET' || method === 'HEAD') && (body === undefined || body === null);
}

/** Calls `act` if a request on a kept connection that was idle for long gets no byte in time. */
function afterSilence(
  sent: ClientRequest,
  { suspectMs, hedgeMs }: KeptConnectionTimes,
  act: () => void,
): void {
  sent.once('socket', (socket) => {
    if (!sent.reusedSocket || idleTime(socket) < suspectMs) return;
    const before = socket.bytesRead;
    const timer = setTimeout(() => socket.bytesRead === before && act(), hedgeMs);
    const stop = () => clearTimeout(timer);
    sent.once('response', stop).once('close', stop);
  });
}

/** Ends a request that stands still before its response. */
function breakStandstill(sent: ClientRequest, standstillMs: number): void {
  sent.once('socket', (socket) => {
    const stop = watchStandstill(socket, standstillMs, () => sent.destroy(new StandstillError(standstillMs)));
    sent.once('response', stop).once('close', stop);
  });
}

interface ThinkingHosts {
  has(host: string): boolean;
  add(host: string): void;
}

const mostThinkingHosts = 64;
const thinkingMs = 600_000;

/**
 * Hosts whose connection answered after all although the request was sent once more. They are slow and reachable, so a
 * second request would only double their work.
 */
function createThinkingHosts(): ThinkingHosts {
  let known: { readonly host: string; readonly until: number }[] = [];
  return {
    has: (host) => known.some((each) => each.host === host && systemClock() < each.until),
    add(host) {
      const others = known.filter((each) => each.host !== host).slice(1 - mostThinkingHosts);
      known = [...others, { host, until: systemClock() + thinkingMs }];
    },
  };
}

/** The connection that failed is the one to the proxy. */
function blamed(error: Error, proxy: URL | undefined): Error {
  return proxy ? new OutboundProxyError(proxy, error) : error;
}

/**
 * Whether a proxy that forwards requests has answered in place of the registry. Squid has X-Squid-Error with each error
 * of its own (Squid, src/errorpage.cc), and tinyproxy names itself in Server there alone (tinyproxy, src/html-error.c).
 */
function isProxyAnswer({ statusCode = 0, headers }: IncomingMessage): boolean {
  if (statusCode === 407) return true;
  const isOwn = headers['x-squid-error'] !== undefined || /^tinyproxy\b/i.test(String(headers.server));
  return statusCode >= 400 && isOwn;
}

function send(request: ClientRequest, body: RequestInit['body']): void {
  if (body instanceof ReadableStream) {
    // The request's own error reports a failure of either.
    const source = Readable.fromWeb(body as NodeReadableStream);
    pipeline(source, request, () => undefined);
    source.on('data', ({ length }: Uint8Array) => countBuffer(length));
  } else request.end(body ?? undefined);
}

/**
 * The most bytes of a response's headers. Node reads 16 KiB, Go 10 MiB (net/http, `Transport.MaxResponseHeaderBytes`);
 * gateways with logins of their own send cookies of many kilobytes.
 */
const maxHeaderSize = 65_536;

const withoutBody: readonly number[] = [204, 205, 304];

/** @throws RangeError with a code, or TypeError, for an invalid status or header. */
function asResponse(
  incoming: IncomingMessage,
  method: string,
  signal: AbortSignal | null | undefined,
  silenceMs: number,
): Response {
  const headers = new Headers();
  const { rawHeaders, statusCode: status = 0 } = incoming;
  // Checked here: the Response of @hono/node-server, which replaces the global one, checks it much later.
  if (status < 200 || status > 599) {
    const code = 'ERR_HTTP_INVALID_STATUS_CODE';
    throw Object.assign(new RangeError(`No answer can have the status ${status}`), { code });
  }
  for (let index = 0; index < rawHeaders.length; index += 2) {
    headers.append(rawHeaders[index] ?? '', rawHeaders[index + 1] ?? '');
  }
  if (method === 'HEAD' || withoutBody.includes(status)) {
    incoming.resume();
    return withBody(null, { status, headers });
  }
  return withBody(bodyOf(incoming, signal, silenceMs), { status, headers });
}

/**
 * An own property: the Response of @hono/node-server makes one of Node's for each read of `body`, which costs as much
 * as the rest of a response.
 */
function withBody(body: ReadableStream<Uint8Array> | null, init: ResponseInit): Response {
  return Object.defineProperty(new Response(body, init), 'body', { value: body });
}
