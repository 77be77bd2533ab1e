import { type AddressInfo, createServer, type Socket } from 'node:net';
import { connect } from 'node:tls';

export interface TlsRelay {
  /** The port for clients without TLS. */
  readonly port: number;
  /** The number of connections whose handshake failed. */
  readonly failures: () => number;
  stop(): Promise<void>;
}

/**
 * Starts a relay from plain connections to a server with TLS, so that clients of plain HTTP use TLS. Each connection has
 * its own handshake, which checks the certificate.
 * @param target the port of the server on 127.0.0.1. @param authority the only authority that the relay trusts, in PEM.
 */
export async function startTlsRelay(target: number, authority: string): Promise<TlsRelay> {
  let failures = 0;
  const sockets = new Set<Socket>();
  const server = createServer((plain) => {
    const secure = connect({ port: target, host: '127.0.0.1', ca: authority });
    let isSecure = false;
    secure.once('secureConnect', () => {
      isSecure = true;
    });
    for (const each of [plain, secure]) {
      sockets.add(each);
      each.once('close', () => sockets.delete(each));
    }
    plain.on('error', () => secure.destroy());
    secure.on('error', () => {
      if (!isSecure && !plain.destroyed) failures += 1;
      plain.destroy();
    });
    plain.pipe(secure);
    secure.pipe(plain);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    failures: () => failures,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** The fingerprint of the certificate that a server on 127.0.0.1 has for a new connection. */
export async function servedFingerprint(port: number, authority: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect({ port, host: '127.0.0.1', ca: authority }, () =>
    resolve(socket.getPeerCertificate().fingerprint256),
  );
  socket.once('error', reject);
  return promise.finally(() => socket.destroy());
}
