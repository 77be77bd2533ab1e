import ipaddr from 'ipaddr.js';

/**
 * The party that a request counts for where requests share a scarce resource: memory, places in a queue, processor
 * time. Addresses share it equally, and the logins of one address share the part of that address. A client that
 * invents logins, which a registry without logins accepts, therefore takes nothing from other addresses.
 */
export interface Requester {
  /** An IPv4 address, or the 64-bit network of an IPv6 address; "" if the runtime does not know it. */
  readonly address: string;
  /** A keyed hash of the login, or of the subject of a token; "" without a login. */
  readonly login: string;
}

/** The requester of work that uses no scarce resource. */
export const unknownRequester: Requester = { address: '', login: '' };

/** The path of a requester in a `FairQueue`. */
export function ownerOf({ address, login }: Requester): readonly string[] {
  return [address, login];
}

/**
 * The client's address: that of the connection, or behind trusted proxies the last address in `X-Forwarded-For` that is
 * not a trusted proxy's. Each proxy appends the address of its own client, so that only the end of the list can be
 * trusted.
 * @param peer the address of the connection.
 * @param forwardedFor the value of `X-Forwarded-For`.
 * @param isTrusted tells whether an address belongs to a proxy in `REGSHIFT_TRUSTED_PROXIES`.
 */
export function clientAddressOf(
  peer: string | undefined,
  forwardedFor: string | null,
  isTrusted: (address: string) => boolean,
): string {
  let address = peer ?? '';
  if (!isTrusted(address)) return networkOf(address);
  const stated = (forwardedFor ?? '').split(',').map((each) => withoutPort(each.trim()));
  for (const each of stated.reverse()) {
    if (each === '') break;
    address = each;
    if (!isTrusted(each)) break;
  }
  return networkOf(address);
}

/** Removes a port, which Azure's gateways append: `192.0.2.7:4711` and `[2001:db8::1]:4711`. */
function withoutPort(address: string): string {
  const [, bracketed, plain] = /^(?:\[([^\]]+)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+):\d+)$/.exec(address) ?? [];
  return bracketed ?? plain ?? address;
}

/**
 * The 64-bit network of an IPv6 address. A subscriber gets 64 bits or more (RFC 6177), so a single address does not
 * identify it.
 */
function networkOf(address: string): string {
  const parsed = parseIpv6(address.replace(/%.*$/, ''));
  if (typeof parsed === 'string') return parsed.slice(0, 64);
  if (parsed.isIPv4MappedAddress()) return parsed.toIPv4Address().toString();
  const groups = parsed.parts.slice(0, 4).map((group) => group.toString(16));
  return `${groups.join(':')}::/64`;
}

function parseIpv6(text: string): ipaddr.IPv6 | string {
  try {
    return text.includes(':') ? ipaddr.IPv6.parse(text) : text;
  } catch {
    return text;
  }
}
