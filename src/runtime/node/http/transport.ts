import type { Server as SecureServer } from 'node:https';
import type { Socket } from 'node:net';

/** TCP connections by the TLS connections above them. */
const transports = new WeakMap<Socket, Socket>();

/**
 * Remembers the TCP connection below each TLS connection of a server. Node gives both to a server's listeners, and
 * tells in no documented way which belong together; the address of the client does.
 */
export function trackTransports(server: SecureServer): void {
  const connections = new Map<string, Socket>();
  const remember = (secure: Socket) => {
    const tcp = connections.get(peerOf(secure));
    if (tcp) transports.set(secure, tcp);
  };
  server.on('connection', (tcp: Socket) => {
    const peer = peerOf(tcp);
    connections.set(peer, tcp);
    tcp.once('close', () => connections.get(peer) === tcp && connections.delete(peer));
  });
  server.on('secureConnection', remember);
  // The server's own listener turns this event into `clientError`, which needs the TCP connection already.
  server.prependListener('tlsClientError', (_error, secure) => remember(secure));
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/** @returns the TCP connection below a TLS connection; a plain connection is its own. */
export function transportOf(socket: Socket): Socket {
  return transports.get(socket) ?? socket;
}

/**
 * A fatal alert, `internal_error` (RFC 8446, section 6.2). Node sends no alert that is protected; the client's record
 * layer refuses an unprotected one, which is as fatal.
 */
const fatalAlert = Uint8Array.of(21, 3, 3, 0, 2, 2, 80);

/** How long a client has to read up to the alert. */
const lingeringMs = 10_000;

/**
 * Ends a connection in the middle of a body, so that no client takes the end for that of the body: by a TCP reset,
 * without FIN and without TLS's `close_notify`. Over TLS an alert goes before the reset, behind all bytes that are on
 * their way: nginx 1.22 takes a reset for "peer shutdown SSL cleanly" (`ngx_ssl_handle_recv`: OpenSSL's error queue is
 * empty), and ignores a missing `close_notify` (SSL_OP_IGNORE_UNEXPECTED_EOF).
 */
export function abortConnection(socket: Socket): void {
  const tcp = transportOf(socket);
  if (tcp === socket || tcp.destroyed) {
    resetConnection(socket);
    return;
  }
  tcp.write(fatalAlert);
  const timer = setTimeout(() => resetConnection(socket), lingeringMs);
  socket.once('close', () => clearTimeout(timer));
}

/**
 * Ends a connection by a TCP reset, at once. `resetAndDestroy` of node:net throws ERR_INVALID_HANDLE_TYPE for a TLS
 * socket (lib/net.js), and so the reset is that of the TCP connection below.
 */
export function resetConnection(socket: Socket): void {
  const tcp = transportOf(socket);
  // libuv refuses a reset after a shutdown (EINVAL, src/unix/tcp.c), and Node 24 then leaves the descriptor open.
  const isShutDown = socket.writableEnded && socket.writableLength === 0;
  const isBareTls = tcp === socket && 'encrypted' in socket;
  if (!(tcp.destroyed || isShutDown || isBareTls)) tcp.resetAndDestroy();
  socket.destroy();
}
