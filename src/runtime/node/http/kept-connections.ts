import type { Agent, ClientRequest, RequestOptions } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { systemClock } from '../../../clock.ts';

/**
 * TCP's probes while a request is on a connection: those of Go, with which clients pull straight from a registry (net,
 * `defaultTCPKeepAliveIdle`), so that a line may be silent for 150 s. By default, a connection of Node's agent ends after
 * eleven seconds: ten probes, a second apart (libuv, `uv_tcp_keepalive`). Node 22 ignores interval and count.
 */
const probes = { idleMs: 15_000, intervalMs: 15_000, count: 9 } as const;

/** The agent's probes begin after a second, so nothing is lost until then. */
const quickMs = 1_000;

/**
 * Sets the probes of a connection whose request takes long. The agent sets its own where it keeps the connection, and to
 * set both for each request takes eight calls of the system.
 */
export function probeSlowly(sent: ClientRequest): void {
  const timer = setTimeout(
    () => sent.socket?.setKeepAlive(true, probes.idleMs, probes.intervalMs, probes.count),
    quickMs,
  );
  sent.once('close', () => clearTimeout(timer));
}

/** The time at which a request has left each connection. */
const leftAt = new WeakMap<Socket, number>();

/** Records that a request has left a connection, which is kept for the next one. */
export function recordIdle(socket: Socket): void {
  leftAt.set(socket, systemClock());
}

/** Milliseconds since a request has left a connection; 0 for a new one. */
export function idleTime(socket: Socket): number {
  const at = leftAt.get(socket);
  return at === undefined ? 0 : systemClock() - at;
}

/**
 * Closes the kept connections to the host of a request that have been idle for at least this many milliseconds. A
 * firewall or NAT may have dropped them without a sign, and the next one is as likely to be dead as the first.
 */
export function closeIdle({ agent, host, hostname, port }: RequestOptions, idleMs: number): void {
  if (typeof agent !== 'object') return;
  // Names of connections begin with host and port (`getName` of Node's lib/_http_agent.js).
  const { defaultPort } = agent as Agent & { readonly defaultPort: number };
  const prefix = `${hostname ?? host}:${port || defaultPort}:`;
  for (const [name, sockets = []] of Object.entries(agent.freeSockets)) {
    if (!name.startsWith(prefix)) continue;
    for (const socket of [...sockets]) if (idleTime(socket) >= idleMs) socket.destroy();
  }
}

/**
 * Makes an agent close a kept connection on which bytes come before its next request. A server that says more than its
 * response would answer that request with them, which may be another user's. Node does so by itself in 24.21
 * (`installFreeSocketDataGuard` of lib/_http_agent.js), and was seen not to in 22.18.
 */
export function closingUnasked<Any extends Agent>(agent: Any): Any {
  const { keepSocketAlive, reuseSocket } = agent;
  agent.keepSocketAlive = (socket) => {
    const isKept = keepSocketAlive.call(agent, socket);
    socket.on('data', closeUnasked);
    return isKept;
  };
  agent.reuseSocket = (socket, request) => {
    socket.off('data', closeUnasked);
    reuseSocket.call(agent, socket, request);
  };
  return agent;
}

function closeUnasked(this: Duplex): void {
  this.destroy();
}
