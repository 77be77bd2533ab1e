import { Agent } from 'node:http';
import { connect, type NetConnectOpts, type Socket } from 'node:net';

/** Gets the bytes of a connection in place of Node's HTTP parser. The connection then pauses until `readMore`. */
export type BodyReader = (bytes: Uint8Array) => void;

interface Taken {
  readonly take: BodyReader;
  readonly buffer: Uint8Array;
  /** True while the reader still has the last bytes: the connection is paused. */
  paused: boolean;
}

const relayed = new WeakSet<Socket>();
const taken = new WeakMap<Socket, Taken>();

/** Size of one read: four times Node's own. */
const relayBytes = 262_144;

/** The parser's bytes are copied at once, so one buffer serves all connections. */
const scratch = new Uint8Array(65_536);

/**
 * Makes plain connections whose bytes can bypass the parser. They read into a buffer that is reused, instead of a new
 * buffer each time (`onread` of node:net), which makes relaying as cheap as in nginx.
 */
export class RelayAgent extends Agent {
  override createConnection(options: NetConnectOpts): Socket {
    let socket: Socket | undefined;
    const onread = {
      // Node first asks for it while it connects.
      buffer: () => (socket && taken.get(socket)?.buffer) ?? scratch,
      callback(length: number, buffer: Uint8Array): boolean {
        const bytes = buffer.subarray(0, length);
        const own = socket && taken.get(socket);
        if (own === undefined) return socket?.emit('data', Buffer.from(bytes)) ?? true;
        own.paused = true;
        own.take(buffer === scratch ? bytes.slice() : bytes);
        return false;
      },
    };
    socket = connect({ ...options, onread });
    relayed.add(socket);
    return socket;
  }
}

/** True for a connection that a `RelayAgent` made. */
export function isRelayed(socket: Socket): boolean {
  return relayed.has(socket);
}

/**
 * Gives `take` the bytes of the connection, one buffer at a time. The buffer is reused after `readMore`. The parser
 * gets no more bytes, so the connection cannot serve another request.
 */
export function attachReader(socket: Socket, take: BodyReader): void {
  taken.set(socket, { take, buffer: new Uint8Array(relayBytes), paused: true });
}

/** Resumes a paused connection. */
export function readMore(socket: Socket): void {
  const own = taken.get(socket);
  if (own !== undefined) own.paused = false;
  socket.resume();
}

/** True for a connection that its reader has paused. */
export function isPaused(socket: Socket): boolean {
  return taken.get(socket)?.paused ?? false;
}
