import type { Socket } from 'node:net';
import { isPaused } from './relay-agent.ts';
import { watchStandstill } from './standstill.ts';

type Callback = (error?: Error | null) => void;

/** Time without a byte from the registry after which a failed write ends the connection, in milliseconds. */
const patienceMs = 1_000;

const patient = new WeakSet<Socket>();

/**
 * Makes a connection read to its end before a failed write destroys it. A registry that refuses a layer sends its
 * response, and may close the connection while the layer still arrives. Linux then answers further bytes with a reset:
 * writes fail with ECONNRESET and EPIPE, and the response is still in the receive buffer (`tcp_reset` of
 * net/ipv4/tcp_input.c empties the send queue alone). node:net destroys a socket at its first failed write, and the
 * response with it (`onwriteError` of lib/internal/streams/writable.js). So the callback of a failed write waits until
 * the registry's bytes have been read, which is at once. curl 7.88 was seen to print the response, too, in 48 of 50
 * uploads. A response is lost if the registry's system still holds it at the close (`tcp_close` discards it), or if the
 * reset overtakes it in the network.
 */
export function readAfterFailedWrites(socket: Socket): void {
  if (patient.has(socket)) return;
  patient.add(socket);
  const { _write: write, _writev: writeMany } = socket;
  const deferred = (callback: Callback): Callback => {
    return (error) => (error ? onceRead(socket, () => callback(error)) : callback(error));
  };
  socket._write = (chunk, encoding, callback) => write.call(socket, chunk, encoding, deferred(callback));
  if (writeMany) {
    socket._writev = (chunks, callback) => writeMany.call(socket, chunks, deferred(callback));
  }
}

/** Calls `act` after the last byte of a connection, or when no byte comes for long and its reader is not the reason. */
function onceRead(socket: Socket, act: () => void): void {
  if (socket.readableEnded || socket.destroyed) {
    act();
    return;
  }
  const finish = () => {
    stop();
    act();
  };
  const isExcused = () => socket.isPaused() || isPaused(socket);
  const stop = watchStandstill(socket, patienceMs, finish, isExcused);
  socket.once('end', finish).once('close', stop);
}
