import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface WireTap {
  readonly port: number;
  /** All bytes that the server behind it has sent, on all connections. */
  readonly sent: () => Uint8Array;
  /** The end of the server's last connection: `FIN`, or the message of the error. */
  readonly ended: () => string | undefined;
  stop(): Promise<void>;
}

/** Starts a tap in front of a server, which records the bytes below TLS. It passes a reset on as a reset. */
export async function startWireTap(port: number): Promise<WireTap> {
  const sockets = new Set<Socket>();
  const chunks: Uint8Array[] = [];
  let ended: string | undefined;
  const tap = createServer({ allowHalfOpen: true }, (client) => {
    const server = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    for (const socket of [client, server]) sockets.add(socket);
    client.pipe(server);
    server.pipe(client);
    server.on('data', (chunk: Uint8Array) => chunks.push(chunk));
    server.once('end', () => {
      ended ??= 'FIN';
    });
    server.once('error', ({ message }) => {
      ended ??= message;
      client.resetAndDestroy();
    });
    client.on('error', () => server.destroy());
  });
  await new Promise<void>((resolve) => tap.listen(0, '127.0.0.1', resolve));
  return {
    port: (tap.address() as AddressInfo).port,
    sent: () => new Uint8Array(Buffer.concat(chunks)),
    ended: () => ended,
    stop: () =>
      new Promise((resolve) => {
        tap.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
