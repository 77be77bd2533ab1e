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
  const responses = new WeakMap<Socket, Set<ServerResponse>>();

  function responsesOf(socket: Socket): Set<ServerResponse> {
    const known = responses.get(socket);
    if (known) return known;
    const own = new Set<ServerResponse>();
    responses.set(socket, own);
    // Node 22 leaves the pipelined responses that wait for their turn; Node 24 destroys them (`abortOutgoing` of
    // lib/_http_server.js).
    socket.once('close', () => {
      for (const outgoing of own) if (outgoing.socket === null) outgoing.destroy();
    });
    return own;
  }

  return {
    areMany: (socket) => (responses.get(socket)?.size ?? 0) >= mostUnanswered,
    add(socket, outgoing) {
      const own = responsesOf(socket).add(outgoing);
      outgoing.once('close', () => own.delete(outgoing));
    },
  };
}
