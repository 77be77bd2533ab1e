import type { Server as SecureServer } from 'node:https';
import type { Socket } from 'node:net';

/** TCP connections by the TLS connections above them. */
const transports = new WeakMap<Socket, Socket>();

/**
 * Records the TCP connection below each TLS connection of a server. Node gives both to the server's listeners and
 * does not document how to match them; the client's address and port do.
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
  // The server's own listener turns this event into `clientError`, which already needs the TCP connection.
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
 * A fatal alert, `internal_error` (RFC 8446, section 6.2). Node cannot send a protected alert; the client's record
 * layer refuses an unprotected one, which is as fatal.
 */
const fatalAlert = Uint8Array.of(21, 3, 3, 0, 2, 2, 80);

/** Time for the client to read up to the alert, in milliseconds. */
const lingeringMs = 10_000;

/**
 * Ends a connection in the middle of a body, so that no client takes its end for the end of the body: with a TCP
 * reset, without FIN and without TLS's `close_notify`. Over TLS, an alert precedes the reset, after all bytes in
 * transit: nginx 1.22 takes a reset for "peer shutdown SSL cleanly" (`ngx_ssl_handle_recv`: OpenSSL's error queue is
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
 * Ends a connection with a TCP reset, at once. `resetAndDestroy` of node:net throws ERR_INVALID_HANDLE_TYPE for a TLS
 * socket (lib/net.js), so the TCP connection below is reset.
 */
export function resetConnection(socket: Socket): void {
  const tcp = transportOf(socket);
  // libuv refuses a reset after a shutdown (EINVAL, src/unix/tcp.c), and Node 24 then leaves the descriptor open.
  const isShutDown = socket.writableEnded && socket.writableLength === 0;
  const isBareTls = tcp === socket && 'encrypted' in socket;
  if (!(tcp.destroyed || isShutDown || isBareTls)) tcp.resetAndDestroy();
  socket.destroy();
}
