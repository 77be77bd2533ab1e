import type { IpRange } from './ip-range.ts';
import { isInRanges } from './ip-range.ts';

/** The addresses of the connection that a request came in by, as far as the runtime knows them. */
export interface ConnectionAddresses {
  readonly peerAddress?: string | undefined;
  readonly port?: number | undefined;
}

/** Where a request has come in. */
export interface RequestAuthority {
  /** Scheme and host as the client wrote them. */
  readonly origin: string;
  /** Of the Host header, without its port. */
  readonly hostname: string;
  /** Of the Host header, or what its scheme has where it names none. */
  readonly hostPort: number;
  /** That the proxy listens on. */
  readonly port: number;
}

/** `X-Forwarded-Host` counts as the Host where a trusted proxy sends it. */
export function requestAuthority(
  request: Request,
  trustedProxies: readonly IpRange[],
  connection: ConnectionAddresses | undefined,
): RequestAuthority {
  const origin = originOf(request, trustedProxies, connection);
  const { hostname, port, protocol } = new URL(origin);
  const hostPort = port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
  // Workers know no port but that of the URL.
  return { origin, hostname, hostPort, port: connection?.port ?? hostPort };
}

/**
 * Scheme and host under which a client has reached the proxy. `X-Forwarded-*` count only when the operator trusts who
 * sent them, since anyone can write them.
 */
export function originOf(
  request: Request,
  trustedProxies: readonly IpRange[],
  connection: ConnectionAddresses | undefined,
): string {
  const url = new URL(request.url);
  const peer = connection?.peerAddress;
  const trusted = peer !== undefined && isInRanges(trustedProxies, peer);
  return (trusted ? forwardedOrigin(url, request.headers) : undefined) ?? url.origin;
}

/** Many proxies set only the scheme and leave Host as it was. Of a list, the first was the nearest to the client. */
export function forwardedOrigin(url: URL, headers: Headers): string | undefined {
  const first = (name: string) => headers.get(name)?.split(',')[0]?.trim() || undefined;
  const scheme = (first('x-forwarded-proto') ?? url.protocol.slice(0, -1)).toLowerCase();
  const host = first('x-forwarded-host') ?? url.host;
  if (!/^https?$/.test(scheme) || !/^[\w.:[\]-]+$/.test(host)) return undefined;
  return URL.canParse(`${scheme}://${host}`) ? new URL(`${scheme}://${host}`).origin : undefined;
}
