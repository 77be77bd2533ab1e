import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIPv6, type Socket } from 'node:net';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { App } from '../../../app.ts';
import type { ClientConnection } from '../../../http/env.ts';
import type { CacheLookup } from '../../../http/response-cache.ts';
import { upstreamBodyOf } from '../../../http/upstream-body.ts';
import type { Log } from '../../../observability/log.ts';
import { errorFields } from '../uncaught.ts';
import { nativeBody } from './body-stream.ts';
import { writeCachedResponse } from './cached-response.ts';
import { guardEvents } from './guarded-events.ts';
import { relay } from './relay.ts';
import { responseCacheKey } from './response-cache-key.ts';
import { createResponseFinished } from './response-finished.ts';
import { writeStream } from './stream-writer.ts';
import { resetConnection } from './transport.ts';

/** The program as Node's HTTP server calls it. */
export interface Listener {
  readonly listen: (incoming: IncomingMessage, outgoing: ServerResponse) => void;
  /** How many answers are being made or sent. */
  readonly answering: () => number;
  /** Breaks off the answers that are on their way, all or those of one connection. @returns whether there was one. */
  readonly cut: (socket?: Socket) => boolean;
  /** From now on each answer says that it is the last one on its connection (RFC 9112, section 9.6). */
  readonly lastAnswers: () => void;
}

/** @param log gets a line for each connection that ended because something here has thrown. */
export function createListener(app: App, log: Log = () => {}): Listener {
  const known = new WeakMap<IncomingMessage, Known>();
  const listener = createSlowListener(app, (incoming) => known.get(incoming), log);
  const open = new Set<ServerResponse>();
  let last = false;

  function handle(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    fail: (error: unknown) => void,
  ): unknown {
    if (last) outgoing.shouldKeepAlive = false;
    // HTTP/1.0 needs none, and what only asks whether somebody is there often sends none (HAProxy's `httpchk`).
    incoming.headers.host ??= reachedHost(incoming.socket);
    const question = responseCacheKey(incoming);
    const lookup = question === undefined ? undefined : askingOf(question, incoming, outgoing);
    const held = lookup && app.responseCache.lookup(lookup);
    if (held) return writeCachedResponse(held, incoming, outgoing);
    open.add(outgoing);
    outgoing.once('close', () => open.delete(outgoing));
    const answerInFull = (more: Known) => {
      guardEvents(incoming, fail);
      guardEvents(outgoing, fail);
      known.set(incoming, more);
      return listener(incoming, outgoing);
    };
    const renewal = lookup && app.responseCache.revalidate(lookup);
    if (renewal === undefined) return answerInFull({ cacheKey: question }).catch(fail);
    // An answer that is only renewed has no listeners that could throw, and guards would cost as much as it does.
    return renewal
      .then((found) =>
        'response' in found
          ? writeCachedResponse(found, incoming, outgoing)
          : answerInFull({ cacheKey: question, started: found }),
      )
      .catch(fail);
  }

  return {
    answering: () => open.size,
    cut(socket) {
      const broken = [...open].filter((each) => socket === undefined || each.socket === socket);
      for (const outgoing of broken) breakOff(outgoing);
      return broken.length > 0;
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
  // Over TLS, `destroy` leaves the client time to read up to the alert.
  if (socket && !socket.destroyed) resetConnection(socket);
}

/** What is known of a request before the program is called for it. */
type Known = Pick<ClientConnection, 'cacheKey' | 'started'>;

function askingOf(
  question: string,
  { headers, socket }: IncomingMessage,
  outgoing: ServerResponse,
): CacheLookup {
  return {
    cacheKey: question,
    identity: headers as CacheLookup['identity'],
    peerAddress: socket.remoteAddress,
    clientLeft: () => {
      const leaving = new AbortController();
      outgoing.once('close', () => outgoing.writableFinished || leaving.abort());
      return leaving.signal;
    },
  };
}

/** Bodies of upstream that nobody has looked into go from socket to socket, without streams of the web between. */
function createSlowListener(app: App, knownOf: (incoming: IncomingMessage) => Known | undefined, log: Log) {
  return getRequestListener(async (request, bindings) => {
    // No server of ours speaks HTTP/2.
    const { incoming, outgoing } = bindings as HttpBindings;
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
    const message = nativeBody(body);
    if (message) relay(message, outgoing, response.headers.get('content-length'));
    else writeStream(body, outgoing).catch((error) => log('warn', 'an answer broke off', errorFields(error)));
    return RESPONSE_ALREADY_SENT;
  });
}

/** @throws TypeError for a header that Node does not write; the body is given up then. */
function writeHead({ status, headers }: Response, body: ReadableStream, outgoing: ServerResponse): void {
  try {
    outgoing.writeHead(status, Object.fromEntries(headers));
  } catch (error) {
    body.cancel(error).catch(() => undefined);
    throw error;
  }
}

function reachedHost({ localAddress = '', localPort }: Socket): string {
  return `${isIPv6(localAddress) ? `[${localAddress}]` : localAddress}:${localPort}`;
}
