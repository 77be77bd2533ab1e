import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Log } from '../../../observability/log.ts';
import { isReadingRefusedBody } from './client-body.ts';
import { transportOf } from './transport.ts';
import { mostUnanswered } from './unanswered.ts';

/** Node's error for a connection that brings no HTTP request. */
export interface ClientError extends Error {
  readonly code?: string;
  /** The words of Node's parser. */
  readonly reason?: string;
  readonly rawPacket?: Uint8Array;
}

export interface ResponsesOfConnection {
  /** Breaks off a response in transit, into which no bytes may be written; returns true if there was one. */
  readonly cut: (socket: Socket) => boolean;
  /** `Listener.lastResponses`. */
  readonly lastResponses: (socket: Socket) => Promise<unknown> | undefined;
}

/**
 * Limits for reading a refused connection after its response. Closing a connection with unread bytes sends RST, which
 * may destroy the response; Go's net/http waits as long (`rstAvoidanceDelay`).
 */
const lingering = { milliseconds: 500, bytes: 262_144 };

/** Refused connections, with the bytes that each had sent by then. */
const refused = new WeakMap<Socket, number>();

/**
 * Answers a connection that brings no HTTP request, and closes it. Docker and containerd try TLS first. containerd's
 * client, which Docker has with the containerd image store, then speaks plain HTTP only if the response begins with
 * `HTTP/`: Go's crypto/tls gives it the first five bytes in `RecordHeaderError`. A closed connection is final for it.
 * docker-registry 2.8.2 was seen to answer a TLS hello with `HTTP/1.1 400 Bad Request` and a line of text; its
 * server, Go's net/http, answers plain HTTP at a TLS port likewise.
 * @param responses of the connection: requests before the unreadable one get theirs first.
 * @param log gets a line for what is HTTP and cannot be read. A TLS hello has none: some clients send one for each pull.
 */
export function refuseConnection(
  error: ClientError,
  socket: Socket,
  { cut, lastResponses }: ResponsesOfConnection,
  log: Log,
): void {
  const { code = '' } = error;
  const isPlainAtTls = code === 'ERR_SSL_HTTP_REQUEST';
  const isReadable = code.startsWith('HPE_') || code === 'ERR_HTTP_REQUEST_TIMEOUT' || isPlainAtTls;
  if (isReadingRefusedBody(socket)) return void socket.destroy();
  if (!isReadable) return void (cut(socket) || socket.destroy());
  const before = refused.get(socket);
  if (before !== undefined) {
    // Node's parser reports each further chunk.
    if (socket.bytesRead - before > lingering.bytes) socket.destroy();
    return;
  }
  const pending = code.startsWith('HPE_') ? lastResponses(socket) : undefined;
  if (pending) {
    refused.set(socket, socket.bytesRead);
    void pending.then(() => socket.writable && answer(error, socket, log));
    return;
  }
  // Node destroys the TLS socket of a failed handshake, so the response goes to the TCP connection below.
  const connection = isPlainAtTls ? transportOf(socket) : socket;
  if (cut(socket) || !connection.writable) return void socket.destroy();
  refused.set(socket, socket.bytesRead);
  answer(error, connection, log);
}

function answer(error: ClientError, connection: Socket, log: Log): void {
  const { status, text } = refusalOf(error);
  if (error.code?.startsWith('HPE_') && !isHello(error.rawPacket))
    logRefusal(log, { socket: connection }, Number.parseInt(status, 10), text);
  closeWith(answerOf(status, text), connection);
}

/**
 * Answers a `CONNECT`, by which a client wants a tunnel of an HTTP proxy. Without a listener, Node closes the connection
 * without a word. A connection with an unfinished response is still closed so: Node no longer tells that response of
 * `drain`.
 */
export function refuseTunnel(
  { method, socket }: IncomingMessage,
  connection: Duplex,
  { cut }: ResponsesOfConnection,
  log: Log,
): void {
  if (cut(socket)) return;
  logRefusal(log, { method, socket }, 501, noTunnel);
  connection.on('error', () => undefined);
  closeWith(answerOf('501 Not Implemented', noTunnel), connection);
}

function closeWith(answer: string, socket: Duplex): void {
  socket.end(answer);
  const timer = setTimeout(() => socket.destroy(), lingering.milliseconds);
  socket.once('close', () => clearTimeout(timer));
}

function refusalOf({ code = '', reason, rawPacket }: ClientError): { status: string; text: string } {
  const status = statusLines[code] ?? '400 Bad Request';
  if (code === 'ERR_SSL_HTTP_REQUEST') return { status, text: plainAtTls };
  if (isHello(rawPacket)) return { status, text: tlsAtPlain };
  const begin = Buffer.from(rawPacket?.subarray(0, 16) ?? []).toString('latin1');
  const known = otherProtocols.find(([pattern]) => pattern.test(begin));
  if (known) return { status, text: known[1] };
  return { status, text: reason ? `The request cannot be read (${reason}).\n` : `${status}\n` };
}

function answerOf(status: string, text: string): string {
  const headers = ['Content-Type: text/plain; charset=utf-8', `Content-Length: ${text.length}`];
  return [`HTTP/1.1 ${status}`, ...headers, 'Connection: close', '', text].join('\r\n');
}

/**
 * Refuses a request that other servers may read in another way, and logs it: the program never sees it.
 * @returns true if the request got its response: 400 for two Host lines, or none in HTTP/1.1 (RFC 9112, section 3.2), 501
 *   for a transfer coding other than chunked (section 6.1): the body would go on to the registry as if it were not coded.
 */
export function refuseAmbiguous(incoming: IncomingMessage, outgoing: ServerResponse, log: Log): boolean {
  const coding = incoming.headers['transfer-encoding'];
  const isCoded = coding !== undefined && coding.trim().toLowerCase() !== 'chunked';
  const lacksHost = incoming.headers.host === undefined && incoming.httpVersion === '1.1';
  if (!isCoded && !lacksHost && !hasTwoHosts(incoming.rawHeaders)) return false;
  const [status, text] = isCoded ? [501, codedBody] : [400, lacksHost ? noHost : twoHosts];
  logRefusal(log, incoming, status, text);
  const headers = { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': text.length };
  outgoing.writeHead(status, { ...headers, Connection: 'close' });
  outgoing.end(text);
  incoming.resume();
  return true;
}

/** The response to a request of which @hono/node-server makes no Request, and its line in the log. */
export function refuseUnreadable(incoming: IncomingMessage, why: string, log: Log): Response {
  const text = `The request cannot be read (${why}). Its target must begin with /, and its Host must be a host.\n`;
  logRefusal(log, incoming, 400, text);
  const headers = { 'Content-Type': 'text/plain; charset=utf-8', Connection: 'close' };
  return new Response(text, { status: 400, headers });
}

/** Logs the end of a connection with too many requests: no response can tell its client, because others are before it. */
export function logTooMany(log: Log, socket: Socket): void {
  log('info', 'a connection ends: it has too many requests without a response', {
    address: socket.remoteAddress,
    most: mostUnanswered,
  });
}

/** The target is left out: it may hold a login. */
function logRefusal(
  log: Log,
  { method, socket }: { readonly method?: string | undefined; readonly socket: Socket },
  status: number,
  text: string,
): void {
  const facts = { method, status, address: socket.remoteAddress, reason: text.trim() };
  log('info', 'a request was refused unread', facts);
}

function hasTwoHosts(rawHeaders: readonly string[]): boolean {
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    // Comparing the length first costs nothing.
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  return hosts > 1;
}

const twoHosts = 'The request has more than one Host header.\n';
const noHost = 'The request has no Host header, which HTTP/1.1 requires.\n';
const noTunnel =
  'regshift is a registry, and no HTTP proxy to other hosts. Pull from its address, and take it out of HTTP_PROXY and HTTPS_PROXY.\n';
const codedBody = 'The only transfer coding of requests that regshift reads is chunked.\n';

const tlsAtPlain = 'The client sent a TLS hello to a port that speaks plain HTTP. Use http:// here.\n';
const plainAtTls = 'The client sent plain HTTP to a port that speaks TLS. Use https:// here.\n';

/**
 * The first bytes of what load balancers send in place of HTTP/1.1, with the text for each: the preface of HTTP/2 (RFC 9113,
 * section 3.4), and the header of the PROXY protocol, versions 1 and 2 (haproxy, doc/proxy-protocol.txt, section 2).
 */
const otherProtocols: readonly (readonly [RegExp, string])[] = [
  [
    /^PRI \* HTTP\/2/,
    'The client speaks HTTP/2 to a port that speaks HTTP/1.1. Let it connect by HTTP/1.1.\n',
  ],
  [
    /^(?:PROXY (?:TCP|UNK)|\r\n\r\n\0\r\nQUIT\n)/,
    'The load balancer in front sends the PROXY protocol, which regshift does not read. Turn it off there, and let it send X-Forwarded-For.\n',
  ],
];

/** RFC 8446, section 5.1: record type 22; or the form of SSLv2, RFC 5246, appendix E.2: a length with the first bit. */
function isHello(packet: Uint8Array | undefined): boolean {
  const first = packet?.[0] ?? 0;
  return first === 22 || (first >= 0x80 && packet?.[2] === 1);
}

const statusLines: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Payload Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};
