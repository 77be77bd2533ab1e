import type { Socket } from 'node:net';

/**
 * Waits for the end of a client's connection: `end` after FIN, otherwise the code of the socket's error. libuv before
 * 1.52, which Node 22 has, tells a reset behind unread bytes as an end (`uv__stream_io` of src/unix/stream.c); a write
 * then fails, and succeeds after FIN.
 * @param socket a connection with `allowHalfOpen`.
 */
export function endOfConnection(socket: Socket): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  socket.on('end', () =>
    socket.write('\n', (error) => {
      if (error) return;
      resolve('end');
      socket.destroy();
    }),
  );
  return promise;
}
