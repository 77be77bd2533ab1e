import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * The most requests of one connection without a whole response: the streams that HTTP/2 advises for a connection
 * (RFC 9113, section 6.5.2). Engines send one at a time. Node reads further requests until its responses wait for the
 * client, and was seen to hold 75,000 small ones of one connection, in 420 MB, while probes of others got no answer.
 */
export const mostUnanswered = 100;

/** Counts the requests of each connection that have no whole response yet. */
export interface UnansweredRequests {
  /** Whether a connection has as many as it may have. */
  areMany(socket: Socket): boolean;
  /** Counts the request of a response, until that has ended. */
  add(socket: Socket, outgoing: ServerResponse): void;
}

export function createUnansweredRequests(): UnansweredRequests {
  const counts = new WeakMap<Socket, number>();
  const countOf = (socket: Socket) => counts.get(socket) ?? 0;
  return {
    areMany: (socket) => countOf(socket) >= mostUnanswered,
    add(socket, outgoing) {
      counts.set(socket, countOf(socket) + 1);
      outgoing.once('close', () => counts.set(socket, countOf(socket) - 1));
    },
  };
}
