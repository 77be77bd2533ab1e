import type { ClientRequest, IncomingMessage } from 'node:http';
import { pipeline, Readable } from 'node:stream';
import type { ReadableStream as NodeReadableStream } from 'node:stream/web';
import type { Log } from '../../../observability/log.ts';
import type { Fetch } from '../../../upstream/client.ts';
import { OutboundProxyError } from '../../../upstream/network-errors.ts';
import { errorFields } from '../uncaught.ts';
import { bodyOf } from './body-stream.ts';
import { resolvedPeer } from './connection-rules.ts';
import { type ConnectionOptions, createConnections } from './connections.ts';
import { guardEvents } from './guarded-events.ts';

/**
 * Time without a byte after which a body breaks off, in milliseconds. HTTP clients with a minute's patience have
 * given up by then.
 */
const usualSilenceMs = 60_000;

/**
 * Creates a `fetch` on Node's own HTTP client. It costs half as much as the built-in one, decodes no encoding, adds
 * Host and Connection only, and an unread body can be relayed as the message that it is (`nativeBody`). It follows no
 * redirect, keeps no cookie, and keeps connections for the next request.
 * @param silenceMs a body breaks off after this long without a byte, or twice as long at most.
 * @param log gets a line for each connection that ended because of an exception in the proxy.
 * @param connections the way to the hosts; by default, direct connections with the runtime's authorities.
 * @returns rejects with the system's error, OutboundProxyError or the signal's reason; reading the body does too.
 */
export function createHttpFetch(
  silenceMs = usualSilenceMs,
  log: Log = () => {},
  connections: ConnectionOptions = {},
): Fetch {
  const connect = createConnections(connections);
  return (href, { method = 'GET', headers, body, signal, addresses, onPeer }) =>
    new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const departure = connect(new URL(href), addresses);
      const sent = departure.request({ ...departure.options, method });
      sent.setHeaders(headers instanceof Headers ? headers : new Headers(headers));
      for (const [name, value] of Object.entries(departure.headers ?? {})) sent.setHeader(name, value);
      const fail = (error: unknown) => {
        log('error', 'a request to upstream ends: an event of it could not be handled', errorFields(error));
        sent.destroy();
        reject(error);
      };
      guardEvents(sent, fail);
      let response: IncomingMessage | undefined;
      const abort = () => sent.destroy(signal?.reason);
      signal?.addEventListener('abort', abort, { once: true });
      // A signal may outlive the request, so the request removes its listener.
      sent.once('close', () => {
        signal?.removeEventListener('abort', abort);
        // Without a response and without an error, upstream has switched to another protocol, and Node has closed the
        // connection.
        if (!response) reject(new Error('The connection was closed without an answer'));
      });
      sent.on('error', (error) => {
        // Node reports a reset before it ends a body without a length (`socketErrorListener` of its HTTP client):
        // such a body is not whole.
        if (response && !response.complete) response.destroy(error);
        reject(signal?.aborted ? signal.reason : blamed(error, departure.forwardedBy));
      });
      sent.once('response', (incoming) => {
        response = incoming;
        guardEvents(incoming, fail);
        if (departure.forwardedBy && isProxyAnswer(incoming)) {
          sent.destroy();
          return reject(new OutboundProxyError(departure.forwardedBy, incoming.statusCode ?? 0));
        }
        const peer = onPeer && resolvedPeer(incoming.socket);
        if (peer !== undefined) onPeer?.(peer);
        try {
          resolve(asResponse(incoming, method, signal, silenceMs));
        } catch (error) {
          sent.destroy();
          reject(error);
        }
      });
      send(sent, body);
    });
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
    pipeline(Readable.fromWeb(body as NodeReadableStream), request, () => undefined);
  } else request.end(body ?? undefined);
}

const withoutBody: readonly number[] = [204, 205, 304];

/** @throws RangeError or TypeError for an invalid status or header. */
function asResponse(
  incoming: IncomingMessage,
  method: string,
  signal: AbortSignal | null | undefined,
  silenceMs: number,
): Response {
  const headers = new Headers();
  const { rawHeaders, statusCode: status = 0 } = incoming;
  // Checked here: the Response of @hono/node-server, which replaces the global one, checks it much later.
  if (status < 200 || status > 599) throw new RangeError(`No answer can have the status ${status}`);
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
