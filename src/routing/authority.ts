import { type IpRange, isInRanges } from './ip-range.ts';

/** The addresses of the connection of a request, as far as the runtime knows them. */
export interface ConnectionAddresses {
  readonly peerAddress?: string | undefined;
  /** The port that accepted the connection. */
  readonly port?: number | undefined;
}

/** The host and port that a request addresses; they select the virtual host. */
export interface RequestAuthority {
  /** The scheme and host as the client sees them. */
  readonly origin: string;
  /** The host of the Host header, without its port. */
  readonly hostname: string;
  /** The port of the Host header, or the default port of the scheme. */
  readonly hostPort: number;
  /** The port that the proxy listens on. */
  readonly port: number;
}

/** The authority of a request. `X-Forwarded-*` count only from a trusted proxy, because any client can write them. */
export function requestAuthority(
  request: Request,
  trustedProxies: readonly IpRange[],
  connection: ConnectionAddresses | undefined,
): RequestAuthority {
  const own = new URL(request.url);
  const peer = connection?.peerAddress;
  const isTrusted = peer !== undefined && isInRanges(trustedProxies, peer);
  const url = (isTrusted ? forwardedOrigin(own, request.headers) : undefined) ?? own;
  const { origin, port, protocol } = url;
  const hostPort = port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
  // Workers know only the port of the URL.
  return { origin, hostname: hostnameOf(url), hostPort, port: connection?.port ?? hostPort };
}

/** The host name of a URL, without the dot that ends an absolute name (RFC 1034, section 3.1). */
export function hostnameOf({ hostname }: URL): string {
  return hostname.replace(/\.$/, '');
}

/**
 * The address that `X-Forwarded-Proto` and `X-Forwarded-Host` state. Many proxies set only the scheme and leave Host
 * unchanged. The first value of a list is that of the proxy closest to the client.
 */
function forwardedOrigin(url: URL, headers: Headers): URL | undefined {
  const first = (name: string) => headers.get(name)?.split(',')[0]?.trim() || undefined;
  const scheme = (first('x-forwarded-proto') ?? url.protocol.slice(0, -1)).toLowerCase();
  const host = first('x-forwarded-host') ?? url.host;
  if (!/^https?$/.test(scheme) || !/^[\w.:[\]-]+$/.test(host)) return undefined;
  return URL.parse(`${scheme}://${host}`) ?? undefined;
}
