import type { Server, ServerResponse } from 'node:http';
import { type Socket, Server as TcpServer } from 'node:net';
import { transportOf } from './transport.ts';

/** The open connections of a server. Without TLS, both sets have the same ones. */
interface OpenConnections {
  readonly tcp: Set<Socket>;
  /** Those that speak HTTP: over TLS, after the handshake. */
  readonly http: Set<Socket>;
}

const connections = new WeakMap<Server, OpenConnections>();

/** Records the open connections of a server, for `endUnused`. */
export function trackConnections(server: Server): void {
  const tcp = recordOn(server, 'connection');
  const http = 'setSecureContext' in server ? recordOn(server, 'secureConnection') : tcp;
  connections.set(server, { tcp, http });
}

function recordOn(server: Server, event: string): Set<Socket> {
  const open = new Set<Socket>();
  server.on(event, (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  return open;
}

/**
 * Closes the connections of a server that have no request in progress: from the whole head of a request to the last
 * byte of its response. `closeIdleConnections` of node:http also closes a connection whose response a slow client has
 * not read yet, once its end is written, and leaves one that never sent a whole head (lib/_http_server.js).
 * @param which `served`: connections that have had a response; `all`: also those that have sent no whole head.
 */
export function endUnused(server: Server, which: 'served' | 'all'): void {
  const { tcp, http } = connections.get(server) ?? { tcp: [], http: [] };
  const unused = [...http].filter((socket) => !hasRequest(socket));
  if (which === 'served') {
    // A refused connection has a limit of its own (`refuseConnection`).
    for (const socket of unused) if (socket.bytesWritten > 0 && !socket.writableEnded) socket.destroy();
    return;
  }
  const used = new Set([...http].filter(hasRequest).map(transportOf));
  for (const socket of [...unused, ...tcp]) if (!used.has(transportOf(socket))) socket.destroy();
}

/**
 * Stops accepting connections, and leaves the open ones as they are. The method of node:http calls
 * `closeIdleConnections`, too.
 * @param onClosed is called after the last connection has closed.
 */
export function stopAccepting(server: Server, onClosed: () => void): void {
  TcpServer.prototype.close.call(server, onClosed);
}

/** Node records the response that a connection is for, from the whole head of the request to the last byte. */
function hasRequest(socket: Socket & { readonly _httpMessage?: ServerResponse | null }): boolean {
  return Boolean(socket._httpMessage);
}
