import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Certificate } from './certificate.ts';

export interface ServerParts {
  readonly listen: RequestListener;
  /** undefined: plain HTTP. */
  readonly certificate: Certificate | undefined;
  /** Whether an answer is on its way on this connection, into which nothing may be written. */
  readonly isAnswering: (socket: Socket) => boolean;
}

/**
 * Node ends a request whose body takes more than five minutes: a layer over a slow line takes longer. What ends an
 * upload whose client is gone is TCP; who only opens connections, or sends headers letter by letter, has half a minute
 * for them. Tokens that list what their bearer may do have many kilobytes.
 */
const serverOptions: ServerOptions = {
  requestTimeout: 0,
  headersTimeout: 30_000,
  connectionsCheckingInterval: 5_000,
  maxHeaderSize: 32_768,
  keepAlive: true,
};

/** In which nothing moves on a connection that has a request under way: nobody waits for longer. */
const standstillMs = 600_000;

/**
 * Engines of 2015 speak HTTP/1.1 over TLS 1.2, and their Go knows ECDHE with AES-GCM and AES-CBC: both are among
 * Node's own ciphers.
 */
const tlsOptions = { minVersion: 'TLSv1.2', ALPNProtocols: ['http/1.1'] } as const;

export function createProxyServer({ listen, certificate, isAnswering }: ServerParts): Server | SecureServer {
  const server = certificate
    ? createSecureServer(
        { ...serverOptions, ...secureOptions(certificate), handshakeTimeout: 15_000 },
        listen,
      )
    : createServer(serverOptions, listen);
  server.setTimeout(standstillMs);
  server.on('clientError', (error: ClientError, socket) =>
    refuse(error, socket as Socket, isAnswering(socket as Socket)),
  );
  return server;
}

/** New connections are given this certificate. */
export function serveCertificate(server: Server | SecureServer, certificate: Certificate): void {
  if ('setSecureContext' in server) server.setSecureContext(secureOptions(certificate));
}

/** @returns the server, once it listens. @throws the system's error when the address cannot be listened on. */
export async function listen<Any extends Server>(server: Any, host: string, port: number): Promise<Any> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, host, resolve);
  await promise;
  server.off('error', reject);
  return server;
}

/** @returns like `http://127.0.0.1:8080`. */
export function urlOf(server: Server | SecureServer): string {
  const { address, port, family } = server.address() as AddressInfo;
  const scheme = 'setSecureContext' in server ? 'https' : 'http';
  return `${scheme}://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

/** Cuts what is under way. */
export function close(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error ? reject(error) : resolve()));
    server.closeAllConnections();
  });
}

function secureOptions({ cert, key }: Certificate) {
  return { cert, key, ...tlsOptions };
}

interface ClientError extends Error {
  readonly code?: string;
  readonly rawPacket?: Uint8Array;
}

/**
 * What is no HTTP request. Docker tries a registry by TLS first, and by plain HTTP as soon as that fails: a TLS hello
 * at the plain port (RFC 8446, section 5.1: record type 22) is answered by nothing but the end of the connection, at
 * once. So is plain HTTP at the TLS port, where nothing can be said.
 */
function refuse({ code = '', rawPacket }: ClientError, socket: Socket, answering: boolean): void {
  const spoke = code.startsWith('HPE_') || code === 'ERR_HTTP_REQUEST_TIMEOUT';
  if (!spoke || rawPacket?.[0] === 22 || !socket.writable || answering) return void socket.destroy();
  const status = statusLines[code] ?? '400 Bad Request';
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
}

const statusLines: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Payload Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};
