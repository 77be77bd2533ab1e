import { type IpRange, isInRanges } from '../config/ip-range.ts';
import type { Connection } from './connection.ts';

/**
 * The address of the proxy as clients have it, for what must name it (realm, Location, Link), without a slash at its
 * end: as the operator says, or else as the connection says.
 */
export function ownAddress(publicUrl: URL | undefined, origin: string): string {
  return publicUrl ? `${publicUrl.origin}${publicUrl.pathname.replace(/\/+$/, '')}` : origin;
}

/**
 * Scheme and host under which a client has reached the proxy. `X-Forwarded-*` count only when the operator trusts who
 * sent them, since anyone can write them.
 */
export function reachedOrigin(
  request: Request,
  trustedProxies: readonly IpRange[],
  connection: Connection | undefined,
): string {
  const url = new URL(request.url);
  const peer = connection?.peerAddress;
  const trusted = peer !== undefined && isInRanges(trustedProxies, peer);
  return (trusted ? forwardedOrigin(url, request.headers) : undefined) ?? url.origin;
}

/**
 * Whether something in front says that the client speaks TLS to it, and is not trusted to say so: the proxy would
 * name an http: address to a client that uses https:, which would send its password there in the clear.
 */
export function wouldLeaveTls(request: { readonly address: string; readonly headers: Headers }): boolean {
  const said = request.headers.get('x-forwarded-proto')?.split(',')[0]?.trim().toLowerCase();
  return said === 'https' && !request.address.startsWith('https:');
}

/** Many proxies set only the scheme and leave Host as it was. Of a list, the first was the nearest to the client. */
function forwardedOrigin(url: URL, headers: Headers): string | undefined {
  const first = (name: string) => headers.get(name)?.split(',')[0]?.trim() || undefined;
  const scheme = (first('x-forwarded-proto') ?? url.protocol.slice(0, -1)).toLowerCase();
  const host = first('x-forwarded-host') ?? url.host;
  if (!/^https?$/.test(scheme) || !/^[\w.:[\]-]+$/.test(host)) return undefined;
  return URL.canParse(`${scheme}://${host}`) ? new URL(`${scheme}://${host}`).origin : undefined;
}
