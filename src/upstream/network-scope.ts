import ipaddr from 'ipaddr.js';
import { bareHost } from '../bare-host.ts';

/** How far away an address can be: on this machine, on its link, in a private network, or anywhere. */
export type NetworkScope = 'loopback' | 'link-local' | 'private' | 'public';

type Cidrs = readonly (readonly [ipaddr.IPv4 | ipaddr.IPv6, number])[];

const cidrs = (...texts: readonly string[]): Cidrs => texts.map((text) => ipaddr.parseCIDR(text));

/**
 * The addresses that are not public, the first match counts. Linux connects to itself for 0.0.0.0 and `::`.
 *
 * Clouds offer the metadata of a machine at 169.254.169.254, and three of them also outside of the link-local ranges:
 * AWS below fd00:ec2::/32, at ::254 ("Access instance metadata for an EC2 instance") and, with the login of a pod, at
 * ::23 ("Set up the Amazon EKS Pod Identity Agent"); Alibaba at 100.100.100.200 ("Instance metadata"); Azure at
 * 168.63.129.16 ("What is IP address 168.63.129.16?").
 *
 * The private ranges are those of RFC 1918, RFC 6598, RFC 4193 and RFC 8215, and ranges that only private networks use:
 * 192.0.0.0/24 (RFC 6890), 198.18.0.0/15 (RFC 2544), 240.0.0.0/4 (RFC 1112) and fec0::/10 (RFC 3879).
 */
const ranges: readonly (readonly [NetworkScope, Cidrs])[] = [
  ['loopback', cidrs('127.0.0.0/8', '0.0.0.0/8')],
  [
    'link-local',
    cidrs('169.254.0.0/16', 'fe80::/10', 'fd00:ec2::/32', '100.100.100.200/32', '168.63.129.16/32'),
  ],
  [
    'private',
    cidrs(
      ...['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7', '64:ff9b:1::/48'],
      ...['192.0.0.0/24', '198.18.0.0/15', '240.0.0.0/4', 'fec0::/10'],
    ),
  ],
];

/**
 * IPv6 prefixes whose addresses contain an IPv4 address, and the byte that it begins at: IPv4-mapped (RFC 4291, section
 * 2.5.5.2), IPv4-translated (RFC 7915), NAT64 (RFC 6052), 6to4 (RFC 3056) and IPv4-compatible (RFC 4291, section
 * 2.5.5.1), which also covers `::` and `::1`.
 */
const embedding: readonly (readonly [prefix: Cidrs, at: number])[] = [
  [cidrs('::ffff:0:0/96', '::ffff:0:0:0/96', '64:ff9b::/96', '::/96'), 12],
  [cidrs('2002::/16'), 2],
];

/**
 * The scope of an IP address. An IPv6 address with an IPv4 address in it counts as that address.
 * @param address as sockets and resolvers write it, with or without a zone. Other text is `loopback`, the narrowest.
 */
export function scopeOf(address: string): NetworkScope {
  if (!ipaddr.isValid(address)) return 'loopback';
  const reached = reachedBy(ipaddr.parse(address));
  return ranges.find(([, each]) => isIn(each, reached))?.[0] ?? 'public';
}

/** The address that packets to `address` reach, as text: the IPv4 address in it, or itself. */
export function reachedAddress(address: string): string {
  return ipaddr.isValid(address) ? reachedBy(ipaddr.parse(address)).toString() : address;
}

function reachedBy(address: ipaddr.IPv4 | ipaddr.IPv6): ipaddr.IPv4 | ipaddr.IPv6 {
  const at = embedding.find(([prefixes]) => isIn(prefixes, address))?.[1];
  return at === undefined ? address : new ipaddr.IPv4(address.toByteArray().slice(at, at + 4));
}

function isIn(each: Cidrs, address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  return each.some(([network, bits]) => network.kind() === address.kind() && address.match(network, bits));
}

/**
 * The address that a URL names without a resolver. WHATWG's URL writes every spelling of an IPv4 address, decimal, octal
 * and hexadecimal, as four decimal parts. `localhost` and names below it are loopback (RFC 6761, section 6.3).
 * @returns undefined for a name.
 */
export function literalAddress(url: URL): string | undefined {
  if (/(^|\.)localhost\.?$/.test(url.hostname)) return '127.0.0.1';
  const plain = bareHost(url);
  return ipaddr.isValid(plain) ? plain : undefined;
}
