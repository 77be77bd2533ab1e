import { Agent } from 'node:http';
import { connect, type NetConnectOpts, type Socket } from 'node:net';

/** Takes what a connection reads, in place of Node's HTTP parser; nothing more is read until `takeMore`. */
export type BodyReader = (bytes: Uint8Array) => void;

interface Taken {
  readonly take: BodyReader;
  readonly buffer: Uint8Array;
  /** What was taken has not gone on yet, and so nothing is read. */
  held: boolean;
}

const relayed = new WeakSet<Socket>();
const taken = new WeakMap<Socket, Taken>();

/** As much as one read of the system may give: four times what Node asks for by itself. */
const relayBytes = 262_144;

/** What is parsed is copied at once, so that one buffer is enough for all connections. */
const scratch = new Uint8Array(65_536);

/**
 * Plain connections whose bytes can be taken away from the parser. They read into memory that is used again, and not
 * into a new buffer each time (`onread` of node:net), which makes relaying as cheap as nginx does it.
 */
export class RelayAgent extends Agent {
  override createConnection(options: NetConnectOpts): Socket {
    let socket: Socket | undefined;
    const onread = {
      // First asked for while the connection is being made.
      buffer: () => (socket && taken.get(socket)?.buffer) ?? scratch,
      callback(length: number, buffer: Uint8Array): boolean {
        const bytes = buffer.subarray(0, length);
        const own = socket && taken.get(socket);
        if (own === undefined) return socket?.emit('data', Buffer.from(bytes)) ?? true;
        own.held = true;
        own.take(buffer === scratch ? bytes.slice() : bytes);
        return false;
      },
    };
    socket = connect({ ...options, onread });
    relayed.add(socket);
    return socket;
  }
}

/** Whether a connection was made by a `RelayAgent`. */
export function isRelayed(socket: Socket): boolean {
  return relayed.has(socket);
}

/**
 * From now on `take` is given what the connection reads, one buffer at a time. Its memory is used again after the
 * next `takeMore`. The parser does not hear of it any more: the connection cannot be kept for another request.
 */
export function attachReader(socket: Socket, take: BodyReader): void {
  taken.set(socket, { take, buffer: new Uint8Array(relayBytes), held: true });
}

/** Lets the connection read on. */
export function readMore(socket: Socket): void {
  const own = taken.get(socket);
  if (own !== undefined) own.held = false;
  socket.resume();
}

/** Whether a connection that was taken over reads nothing because of who takes. */
export function isPaused(socket: Socket): boolean {
  return taken.get(socket)?.held ?? false;
}
