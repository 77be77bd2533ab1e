import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Listening {
  /** Like `http://127.0.0.1:41234`. */
  readonly url: string;
  /** Host and port. */
  readonly host: string;
  readonly port: number;
  /** Closes the server and all its connections. */
  stop(): Promise<void>;
}

/** Starts an HTTP server. @param port a free port by default. */
export async function listen(server: Server, port = 0, address = '127.0.0.1'): Promise<Listening> {
  await new Promise<void>((resolve) => server.listen(port, address, resolve));
  const taken = (server.address() as AddressInfo).port;
  const host = `${address}:${taken}`;
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://${host}`, host, port: taken, stop };
}
