import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** Forwards TCP connections, as a firewall between regshift and a registry does. */
export interface SwallowingForwarder {
  readonly port: number;
  /** Connections that clients have opened. */
  readonly opened: readonly Socket[];
  /** Drops all bytes of the connections that exist now, without a sign. New connections work. */
  swallow(): void;
}

/** Starts a forwarder to a port of this machine, which the end of the test closes. */
export async function startForwarder(target: number): Promise<SwallowingForwarder> {
  const opened: Socket[] = [];
  const pairs: [Socket, Socket][] = [];
  const server = createServer((client) => {
    opened.push(client);
    const upstream = connect(target, '127.0.0.1');
    pairs.push([client, upstream]);
    client.pipe(upstream).pipe(client);
    for (const each of [client, upstream]) each.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const pair of pairs) for (const each of pair) each.destroy();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    opened,
    swallow() {
      for (const [client, upstream] of pairs.splice(0)) {
        client.unpipe().resume();
        upstream.unpipe().resume();
      }
    },
  };
}
