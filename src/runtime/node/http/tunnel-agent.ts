import { type ClientRequestArgs, request as httpRequest } from 'node:http';
import {
  type AgentOptions,
  request as httpsRequest,
  Agent as SecureAgent,
  type RequestOptions as SecureOptions,
} from 'node:https';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { bareHost } from '../../../bare-host.ts';
import { OutboundProxyError } from '../../../upstream/network-errors.ts';
import { attemptMs } from './connection-rules.ts';

/** Time without a byte after which a proxy that has not opened a tunnel counts as failed, in milliseconds. */
const patienceMs = 60_000;

/**
 * Makes TLS connections through the tunnel of an HTTP proxy (RFC 9110, section 9.3.6). Node has `proxyEnv` for this since
 * 24.5, and Node 22.18 ignores it. https-proxy-agent gives the proxy's refusal of a tunnel to the request as if it were
 * the registry's answer (version 9.1, src/index.ts, `connect`).
 */
export class TunnelAgent extends SecureAgent {
  readonly #proxy: URL;
  readonly #security: AgentOptions;

  /**
   * @param options for the connections through the tunnels.
   * @param security for the connections to the proxy itself, if its URL says `https:`.
   */
  constructor(proxy: URL, options: AgentOptions, security: AgentOptions = {}) {
    super(options);
    this.#proxy = proxy;
    this.#security = security;
  }

  override createConnection(
    options: ClientRequestArgs,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    const finish = callback as (error: Error | null, stream?: Duplex) => void;
    openTunnel(this.#proxy, authorityOf(options), this.#security).then(
      (socket) => finish(null, super.createConnection({ ...options, socket } as ClientRequestArgs) as Duplex),
      (error: Error) => finish(error),
    );
  }
}

function authorityOf({ host, port }: ClientRequestArgs): string {
  return `${host?.includes(':') ? `[${host}]` : host}:${port}`;
}

/** @throws OutboundProxyError if the proxy cannot be reached, or opens no tunnel. */
function openTunnel(proxy: URL, authority: string, security: AgentOptions): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const headers = { host: authority, ...proxyLogin(proxy) };
    const options = { ...proxyAddress(proxy), ...security, method: 'CONNECT', path: authority, headers };
    const connection = { agent: false, timeout: patienceMs, autoSelectFamilyAttemptTimeout: attemptMs };
    const asked = requestTo(proxy)({ ...options, ...connection });
    asked.once('connect', ({ statusCode = 0 }, socket, head) => {
      if (statusCode < 200 || statusCode > 299) {
        socket.destroy();
        return reject(new OutboundProxyError(proxy, statusCode));
      }
      socket.setTimeout(0);
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    asked.once('timeout', () =>
      asked.destroy(Object.assign(new Error('No tunnel in time'), { code: 'ETIMEDOUT' })),
    );
    asked.once('error', (error) => reject(new OutboundProxyError(proxy, error)));
    asked.end();
  });
}

/** The function that sends a request to a proxy, over TLS if its URL says so. */
export function requestTo(proxy: URL): typeof httpRequest {
  return proxy.protocol === 'https:' ? httpsRequest : httpRequest;
}

/** Without its name here, Node expects the name in the Host header, the registry, in the certificate of the proxy. */
export function proxyAddress(proxy: URL): SecureOptions {
  const usual = proxy.protocol === 'https:' ? 443 : 80;
  const host = bareHost(proxy);
  const servername = isIP(host) === 0 ? host : '';
  return { host, port: proxy.port === '' ? usual : Number(proxy.port), servername };
}

/** The login in a proxy's URL, as a header (RFC 9110, section 11.7.2). */
export function proxyLogin({ username, password }: URL): Record<string, string> {
  if (username === '' && password === '') return {};
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(login).toString('base64')}` };
}
