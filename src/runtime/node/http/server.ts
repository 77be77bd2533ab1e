import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Log } from '../../../observability/log.ts';
import { usualTimeouts } from '../../../upstream/timeouts.ts';
import type { Certificate } from '../tls/certificate.ts';
import { trackConnections } from './open-connections.ts';
import { ProxyResponse } from './proxy-response.ts';
import { type ClientError, type ResponsesOfConnection, refuseConnection, refuseTunnel } from './refusal.ts';
import { trackTransports } from './transport.ts';

export interface ServerParts extends ResponsesOfConnection {
  readonly listen: RequestListener;
  /** undefined: plain HTTP. */
  readonly certificate: Certificate | undefined;
  /** Watches the handshakes of a server that speaks TLS (`createHandshakeLog`). */
  readonly watchHandshakes?: (server: Server) => void;
  /** Gets a line for each request that cannot be read. */
  readonly log?: Log;
  /** The longest standstill of an upstream, in milliseconds (`UpstreamTimeouts`). */
  readonly standstillMs?: number;
}

/**
 * Milliseconds for which an idle connection of a client stays open. A proxy in front keeps connections, too: nginx and
 * AWS's Application Load Balancer for 60 s, Traefik for 90 s, Caddy for two minutes, and Google's Application Load
 * Balancer for 600 s. If the end that takes requests closes first, a request that is on its way fails, and the proxy
 * answers 502 for each that it may not repeat, like the POST of an upload. Node's own value is 5 s.
 */
const idleMs = 620_000;

/**
 * Node ends a request whose body takes more than five minutes, and a layer over a slow line takes longer. TCP ends an
 * upload whose client is gone. A client that only opens connections, or sends headers byte by byte, has half a
 * minute. Tokens that list their bearer's rights have many kilobytes.
 */
const serverOptions: ServerOptions = {
  ServerResponse: ProxyResponse,
  requestTimeout: 0,
  headersTimeout: 30_000,
  keepAliveTimeout: idleMs,
  connectionsCheckingInterval: 5_000,
  maxHeaderSize: 32_768,
  keepAlive: true,
  // Node answers such a request with an empty 400 (`refuseAmbiguous`).
  requireHostHeader: false,
};

/**
 * A client's connection with a request in flight is cut after this long without a byte, beyond the standstill of
 * upstream, in milliseconds: the client of a registry that stood still gets a 504 first.
 */
const beyondUpstreamMs = 60_000;

/**
 * Engines of 2015 speak HTTP/1.1 over TLS 1.2. Their Go has ECDHE with AES-GCM and AES-CBC, which are among Node's
 * default ciphers.
 */
const tlsOptions = { minVersion: 'TLSv1.2', ALPNProtocols: ['http/1.1', 'http/1.0'] } as const;

export function createProxyServer(parts: ServerParts): Server | SecureServer {
  const { listen, certificate, watchHandshakes } = parts;
  const { log = () => {}, standstillMs = usualTimeouts.standstillMs } = parts;
  const server = certificate ? createTlsServer(certificate, listen) : createServer(serverOptions, listen);
  trackConnections(server);
  if (certificate) watchHandshakes?.(server);
  server.setTimeout(standstillMs + beyondUpstreamMs);
  server.on('timeout', (socket: Socket) => {
    parts.cut(socket);
    socket.destroy();
  });
  server.on('clientError', (error: ClientError, socket) =>
    refuseConnection(error, socket as Socket, parts, log),
  );
  server.on('connect', (request, socket) => refuseTunnel(request, socket, parts, log));
  return server;
}

function createTlsServer(certificate: Certificate, listen: RequestListener): SecureServer {
  const options = { ...serverOptions, ...secureOptions(certificate), handshakeTimeout: 15_000 };
  const server = createSecureServer(options, listen);
  trackTransports(server);
  return server;
}

/** New connections get this certificate. */
export function serveCertificate(server: Server | SecureServer, certificate: Certificate): void {
  if ('setSecureContext' in server) server.setSecureContext(secureOptions(certificate));
}

/**
 * @returns the server, once it listens.
 * @throws the system's error if the address is not available.
 */
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

/** Closes the server and cuts its connections. */
export function close(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error ? reject(error) : resolve()));
    server.closeAllConnections();
  });
}

function secureOptions({ cert, key }: Certificate) {
  return { cert, key, ...tlsOptions };
}
