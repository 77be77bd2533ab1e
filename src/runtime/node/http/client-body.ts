import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { bodyChunks } from './body-stream.ts';
import { watchStandstill } from './standstill.ts';

/** The streams of bodies, to break them off. */
const bodies = new WeakMap<IncomingMessage, ReadableStreamDefaultController<Uint8Array>>();

/**
 * The body of a client's request as a web stream. A cancellation leaves the connection open: the client gets its
 * response there (`readRefusedBody`).
 */
export function clientBody(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  let next: (() => Promise<Uint8Array | undefined>) | undefined;
  // An error before the first read goes to the first reader.
  incoming.on('error', () => undefined);
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        bodies.set(incoming, controller);
      },
      async pull(controller) {
        next ??= bodyChunks(incoming);
        const chunk = await next();
        if (chunk === undefined) controller.close();
        else controller.enqueue(chunk);
      },
    },
    { highWaterMark: 0 },
  );
}

/** Limits for reading a body after its refusal: nginx's (`lingering_time`, `lingering_timeout`). */
const lingering = { milliseconds: 30_000, silenceMs: 5_000 };

const reading = new WeakSet<Socket>();

/** True while the rest of a refused body arrives. A client that ends the connection then makes no wrong request. */
export const isReadingRefusedBody = (socket: Socket): boolean => reading.has(socket);

/**
 * Reads the rest of a body whose response is there before it has arrived, and then closes the connection, or keeps it.
 * A client that is still sending would otherwise meet a closed connection, and the system discards a response that it
 * has not read: Apache reads after its last byte, and nginx, which asks for the end of each connection, was seen to
 * answer 502 in most uploads.
 */
export function readRefusedBody(incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { socket } = incoming;
  outgoing.once('prefinish', () => {
    if (incoming.complete || socket.destroyed) return;
    // Node calls it for the last response of a connection (`resOnFinish` of lib/_http_server.js).
    const { destroySoon } = socket;
    let isLast = false;
    let isOver = false;
    reading.add(socket);
    socket.destroySoon = () => {
      isLast = true;
      socket.end();
    };
    const finish = (how: 'ended' | 'late') => {
      if (isOver) return;
      isOver = true;
      reading.delete(socket);
      stop();
      clearTimeout(timer);
      socket.destroySoon = destroySoon;
      if (isLast || how === 'late') socket.destroySoon();
    };
    const stop = watchStandstill(socket, lingering.silenceMs, () => finish('late'));
    const timer = setTimeout(() => finish('late'), lingering.milliseconds);
    incoming.once('end', () => finish('ended')).once('close', () => finish('ended'));
    // The registry may still take a body that it has accepted.
    if (outgoing.statusCode >= 400) outgoing.once('finish', () => discard(incoming));
  });
}

/**
 * Reads the rest of a body and drops it. The stream of the body breaks off. If the stream ended, a part would go to the
 * registry as the whole, and the registry would read the next request on that connection, which may be another client's,
 * as the rest.
 */
function discard(incoming: IncomingMessage): void {
  if (!incoming.complete) bodies.get(incoming)?.error(new Error('The rest of the body is not read'));
  incoming.removeAllListeners('readable');
  incoming.on('data', () => undefined);
}
