import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIPv6, type Socket } from 'node:net';
import { getRequestListener, type HttpBindings, RequestError } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { App } from '../../../app.ts';
import { RegistryError } from '../../../errors.ts';
import type { ClientConnection, SentResponse } from '../../../http/env.ts';
import type { CachedResponse, CacheLookup } from '../../../http/response-cache.ts';
import { upstreamBodyOf } from '../../../http/upstream-body.ts';
import type { Facts, Log } from '../../../observability/log.ts';
import type { WholeResponse } from '../../../registry/manifests/freshness.ts';
import { fileOf, sendFile } from '../store/file-stream.ts';
import { errorFields } from '../uncaught.ts';
import { nativeBody } from './body-stream.ts';
import { clientBody, readRefusedBody } from './client-body.ts';
import { guardEvents } from './guarded-events.ts';
import { logTooMany, refuseAmbiguous, refuseUnreadable } from './refusal.ts';
import { relay } from './relay.ts';
import { responseCacheKey } from './response-cache-key.ts';
import { writeStream } from './stream-writer.ts';
import { resetConnection } from './transport.ts';
import { createUnansweredRequests } from './unanswered.ts';

/**
 * The program in the shape that Node's HTTP server calls. A hit of the response cache bypasses Hono: making a Request
 * and a Response for it costs several times as much as sending it. An unread body of upstream bypasses web streams
 * (`relay`).
 */
export interface Listener {
  readonly listen: (incoming: IncomingMessage, outgoing: ServerResponse) => void;
  /** Number of responses that are being made or sent. */
  readonly answering: () => number;
  /**
   * Breaks off responses in transit: all, or those of one connection.
   * @returns true if there was one.
   */
  readonly cut: (socket?: Socket) => boolean;
  /**
   * Waits for the responses of a connection whose next bytes cannot be read.
   * @returns undefined if there is none, or if one is for a request that has not arrived whole.
   */
  readonly lastResponses: (socket: Socket) => Promise<unknown> | undefined;
  /** Marks each further response as the last one on its connection (RFC 9112, section 9.6). */
  readonly lastAnswers: () => void;
}

/** @param log gets a line for each connection that ended because of an exception in the proxy. */
export function createListener(app: App, log: Log = () => {}): Listener {
  const known = new WeakMap<IncomingMessage, Known>();
  /** The request that is being read. The error handler is called before anything is awaited. */
  let reading: IncomingMessage | undefined;
  const unreadable = (why: string) => reading && refuseUnreadable(reading, why, log);
  const listener = createRequestListener(app, (incoming) => known.get(incoming), log, unreadable);
  const open = new Set<ServerResponse>();
  const unanswered = createUnansweredRequests();
  let last = false;

  function cut(socket?: Socket): boolean {
    const broken = [...open].filter((each) => socket === undefined || each.socket === socket);
    for (const outgoing of broken) breakOff(outgoing);
    return broken.length > 0;
  }

  /** The rest of the bytes that Node has read goes unheard. */
  function refuseMore(socket: Socket): void {
    if (socket.destroyed) return;
    logTooMany(log, socket);
    cut(socket);
    socket.destroy();
  }

  function handle(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    fail: (error: unknown) => void,
  ): unknown {
    if (unanswered.areMany(incoming.socket)) return refuseMore(incoming.socket);
    if (last) outgoing.shouldKeepAlive = false;
    if (refuseAmbiguous(incoming, outgoing, log)) return;
    // HTTP/1.0 needs no Host header, and health checks often send none (HAProxy's `httpchk`). It may be empty (RFC 9112,
    // section 3.2).
    incoming.headers.host = spelledAsUrl(incoming.headers.host || reachedHost(incoming.socket));
    const cacheKey = responseCacheKey(incoming);
    const lookup = cacheKey === undefined ? undefined : cacheLookupOf(cacheKey, incoming, outgoing);
    const cached = lookup && app.responseCache.lookup(lookup);
    if (cached) return writeCachedResponse(cached, incoming, outgoing);
    open.add(outgoing);
    unanswered.add(incoming.socket, outgoing);
    // A relayed write has eleven listeners for the end of its response, at which Node prints a warning.
    outgoing.setMaxListeners(20);
    outgoing.once('close', () => open.delete(outgoing));
    const handleInFull = (more: Known) => {
      guardEvents(incoming, fail);
      guardEvents(outgoing, fail);
      known.set(incoming, more);
      reading = incoming;
      const answered = listener(incoming, outgoing);
      reading = undefined;
      return answered;
    };
    const revalidation = lookup && app.responseCache.revalidate(lookup);
    if (revalidation === undefined) return handleInFull({ cacheKey }).catch(fail);
    // A revalidated response has no listeners that can throw, and guards would cost as much as the response.
    return revalidation
      .then((found) =>
        'response' in found
          ? writeCachedResponse(found, incoming, outgoing)
          : handleInFull({ cacheKey, started: found }),
      )
      .catch(fail);
  }

  return {
    answering: () => open.size,
    cut,
    lastResponses(socket) {
      const pending = [...open].filter(({ req }) => req.socket === socket);
      if (pending.length === 0 || pending.some(({ req }) => !req.complete)) return undefined;
      return Promise.all(
        pending.map((outgoing) => new Promise((resolve) => outgoing.once('close', resolve))),
      );
    },
    lastAnswers() {
      last = true;
      for (const outgoing of open) outgoing.shouldKeepAlive = false;
    },
    listen(incoming, outgoing) {
      const fail = (error: unknown) => {
        log('error', 'a connection ends: an event of it could not be handled', errorFields(error));
        outgoing.destroy();
      };
      try {
        handle(incoming, outgoing, fail);
      } catch (error) {
        fail(error);
      }
    },
  };
}

function breakOff(outgoing: ServerResponse): void {
  const { socket } = outgoing;
  outgoing.destroy();
  // Over TLS, `destroy` gives the client time to read up to the alert.
  if (socket && !socket.destroyed) resetConnection(socket);
}

/** Facts about a request that the listener finds before it calls the program. */
type Known = Pick<ClientConnection, 'cacheKey' | 'started'>;

function cacheLookupOf(
  cacheKey: string,
  { headers, socket }: IncomingMessage,
  outgoing: ServerResponse,
): CacheLookup {
  return {
    cacheKey,
    identity: headers as CacheLookup['identity'],
    authorization: headers.authorization,
    peerAddress: socket.remoteAddress,
    clientLeft: () => {
      const leaving = new AbortController();
      outgoing.once('close', () => outgoing.writableFinished || leaving.abort());
      return leaving.signal;
    },
  };
}

/** The full way. Unread bodies of upstream go from socket to socket, without web streams between. */
function createRequestListener(
  app: App,
  knownOf: (incoming: IncomingMessage) => Known | undefined,
  log: Log,
  unreadable: (why: string) => Response | undefined,
) {
  const errorHandler = (error: unknown) =>
    (error instanceof RequestError && unreadable(error.message)) || new Response(null, { status: 500 });
  const fetch = async (request: Request, bindings: unknown) => {
    // The proxy's servers do not speak HTTP/2.
    const { incoming, outgoing } = bindings as HttpBindings;
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      Object.defineProperty(request, 'body', { value: clientBody(incoming) });
      readRefusedBody(incoming, outgoing);
    }
    const response = await app.fetch(request, {
      peerAddress: incoming.socket.remoteAddress,
      port: incoming.socket.localPort,
      ...knownOf(incoming),
      setHeader: (name, value) => void (outgoing.headersSent || outgoing.setHeader(name, value)),
      whenSent: createResponseFinished(incoming.socket, outgoing),
    });
    const body = upstreamBodyOf(response);
    if (body === undefined) return response;
    writeHead(response, body, outgoing);
    const broken = (error: unknown) => log('warn', 'an answer broke off', brokenFields(error));
    const message = nativeBody(body);
    const file = fileOf(body);
    if (message) relay(message, outgoing, response.headers.get('content-length'));
    else if (file) sendFile(file, outgoing).catch(broken);
    else writeStream(body, outgoing).catch(broken);
    return RESPONSE_ALREADY_SENT;
  };
  return getRequestListener(fetch, { errorHandler, autoCleanupIncoming: false });
}

/** The log fields of a response that broke off. A broken layer, or a registry that breaks off, needs no stack. */
function brokenFields(error: unknown): Facts {
  return error instanceof RegistryError ? { code: error.code, reason: error.message } : errorFields(error);
}

/** @throws TypeError for a header that Node does not write; the body is then cancelled. */
function writeHead({ status, headers }: Response, body: ReadableStream, outgoing: ServerResponse): void {
  try {
    outgoing.writeHead(status, Object.fromEntries(headers));
  } catch (error) {
    body.cancel(error).catch(() => undefined);
    throw error;
  }
}

/** A dual-stack socket has IPv4 as `::ffff:192.0.2.7`, and one of a link-local network has a zone, like `fe80::1%eth0`. */
function reachedHost({ localAddress = '', localPort }: Socket): string {
  const address = localAddress.replace(/^::ffff:(?=\d+\.)|%.*$/g, '');
  return `${isIPv6(address) ? `[${address}]` : address}:${localPort}`;
}

/** @hono/node-server refuses an address of IPv6 that a URL spells otherwise, like `[2001:0db8::7]` (`buildUrl`). */
function spelledAsUrl(host: string): string {
  return host.replace(/^\[[\da-f:.]+\]/i, (address) => URL.parse(`http://${address}`)?.host ?? address);
}

/**
 * Reports the end of a response.
 * @returns for `ClientConnection.whenSent`; if the client left before the response, the response has ended already.
 */
function createResponseFinished(
  socket: Pick<Socket, 'bytesWritten'>,
  outgoing: ServerResponse,
): (ended: (sent: SentResponse) => void) => void {
  const before = socket.bytesWritten;
  return (ended) => {
    const tell = () => ended({ bytes: socket.bytesWritten - before, aborted: !outgoing.writableFinished });
    if (outgoing.closed) tell();
    else outgoing.once('close', tell);
  };
}

/** A response in the shapes that cost Node the least; made once for each response. */
interface Prepared {
  /** Header lines that Node writes without a conversion. */
  readonly lines: readonly string[];
  /** The body as Latin-1, for a response that is sent again. */
  text?: string;
}

const prepared = new WeakMap<WholeResponse, Prepared>();

/**
 * The largest body that goes out as text. Node joins text to the head, and writes both by one call from a buffer of 16
 * KiB (lib/_http_outgoing.js, `_send`; src/stream_base.cc, `WriteString`), for which it needs a tenth less time than for
 * two pieces.
 */
const mostText = 12_288;

function prepare(response: WholeResponse): Prepared {
  const { headers, body } = response;
  const known = prepared.get(response);
  if (known === undefined) {
    const made = { lines: Object.entries(headers).flat() };
    prepared.set(response, made);
    return made;
  }
  // The table of responses counts the bytes of the body, which it shares with other tables, and that covers the text.
  if (known.text === undefined && body.length <= mostText) known.text = Buffer.from(body).toString('latin1');
  return known;
}

/**
 * Sends a response from the response cache. It bypasses Hono: making a Request and a Response for it costs several
 * times as much as sending it. The headers have its length.
 */
function writeCachedResponse(
  { response, id, finished }: CachedResponse,
  { method, socket }: IncomingMessage,
  outgoing: ServerResponse,
): void {
  const before = socket.bytesWritten;
  const { lines, text } = prepare(response);
  outgoing.writeHead(200, [...lines, 'X-Request-Id', id]);
  if (method === 'HEAD') outgoing.end();
  else if (text === undefined) outgoing.end(response.body);
  else outgoing.end(text, 'latin1');
  finished({ bytes: socket.bytesWritten - before, aborted: outgoing.destroyed });
}
