/**
 * Who a request counts for where requests share something scarce: memory, turns, time of the processor. Addresses
 * share it equally, and the logins of one address share what that address gets. So a client that makes up logins,
 * which a registry without logins accepts, takes nothing from other addresses.
 */
export interface Requester {
  /** An IP address, of IPv6 the network of 64 bits; "" where the runtime does not know it. */
  readonly address: string;
  /** A keyed hash of the login, or of the subject of a token; "" without one. */
  readonly login: string;
}

/** For questions that take nothing scarce. */
export const unknownRequester: Requester = { address: '', login: '' };

/** The path of a requester in a `FairQueue`. */
export function ownerOf({ address, login }: Requester): readonly string[] {
  return [address, login];
}

/**
 * The client's address: the connection's, or the nearest one in `X-Forwarded-For` that no trusted proxy has. Each
 * proxy appends the address that it was reached from, so that only the end of the list can be believed.
 * @param forwardedFor the header `X-Forwarded-For`.
 * @param isTrusted whether an address is that of a proxy in `REGSHIFT_TRUSTED_PROXIES`.
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

/** Azure's gateways write `192.0.2.7:4711` and `[2001:db8::1]:4711`. */
function withoutPort(address: string): string {
  const [, bracketed, plain] = /^(?:\[([^\]]+)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+):\d+)$/.exec(address) ?? [];
  return bracketed ?? plain ?? address;
}

/** A subscriber gets 64 bits or more of IPv6 (RFC 6177), so that a single address says nothing of who it is. */
function networkOf(address: string): string {
  const plain = address.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '');
  if (!plain.includes(':') || !URL.canParse(`http://[${plain}]/`)) return plain.slice(0, 64);
  const [left = '', right] = new URL(`http://[${plain}]/`).hostname.slice(1, -1).split('::');
  const groups = (part: string) => (part === '' ? [] : part.split(':'));
  const [before, after] = [groups(left), groups(right ?? '')];
  const zeros = new Array<string>(8 - before.length - after.length).fill('0');
  return `${[...before, ...zeros, ...after].slice(0, 4).join(':')}::/64`;
}
