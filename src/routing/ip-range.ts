import ipaddr from 'ipaddr.js';

/**
 * Addresses that begin with the same bits. An IPv4 address is stored as IPv4-mapped IPv6, as a dual-stack socket
 * reports it.
 */
export interface IpRange {
  readonly address: ipaddr.IPv6;
  /** The number of leading bits that count, of 128. */
  readonly prefix: number;
}

/**
 * Parses an address or a range: `192.0.2.7`, `10.0.0.0/8`, `2001:db8::1` or `fd00::/8` (RFC 4632, RFC 4291).
 * @returns undefined for any other text.
 */
export function parseIpRange(text: string): IpRange | undefined {
  const [, ip = '', length] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const address = parseIp(ip);
  if (address === undefined) return undefined;
  const bits = ip.includes(':') ? 128 : 32;
  const prefix = length === undefined ? bits : Number(length);
  return prefix > bits ? undefined : { address, prefix: prefix + 128 - bits };
}

/** @param ip a peer's address as the runtime writes it. Text that is not an address is in no range. */
export function isInRanges(ranges: readonly IpRange[], ip: string): boolean {
  if (ranges.length === 0) return false;
  const address = peerAddress(ip);
  return address !== undefined && ranges.some((range) => address.match(range.address, range.prefix));
}

/** Whether all addresses of a range are in another one. */
export function isWithin(inner: IpRange, outer: IpRange): boolean {
  return outer.prefix <= inner.prefix && inner.address.match(outer.address, outer.prefix);
}

/** The last peer: each rule about clients asks for the address of the same request, and reading it takes microseconds. */
let lastPeer: { readonly ip: string; readonly address: ipaddr.IPv6 | undefined } | undefined;

function peerAddress(ip: string): ipaddr.IPv6 | undefined {
  if (lastPeer?.ip !== ip) lastPeer = { ip, address: parseIp(ip.replace(/%.*$/, '')) };
  return lastPeer.address;
}

/** Whether a text is an IP address, in no spelling that hides it. */
export function isIpAddress(text: string): boolean {
  return parseIp(text) !== undefined;
}

/** Parses strictly: ipaddr.js also accepts spellings that hide an address, like `0177.1` and `0x7f000001`. */
function parseIp(text: string): ipaddr.IPv6 | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text)?.toIPv4MappedAddress();
}

function parseIpv4(text: string): ipaddr.IPv4 | undefined {
  return ipaddr.IPv4.isValidFourPartDecimal(text) ? ipaddr.IPv4.parse(text) : undefined;
}

function parseIpv6(text: string): ipaddr.IPv6 | undefined {
  const tail = text.slice(text.lastIndexOf(':') + 1);
  if (!/^[0-9a-f:.]+$/i.test(text) || (tail.includes('.') && !ipaddr.IPv4.isValidFourPartDecimal(tail))) {
    return undefined;
  }
  try {
    // ipaddr.js reads the deprecated form `::192.0.2.7` (RFC 4291, section 2.5.5.1) as ::ffff:192.0.2.7.
    return ipaddr.IPv6.parse(text.replace(/^::(?=\d+\.)/, '0::'));
  } catch {
    return undefined;
  }
}
