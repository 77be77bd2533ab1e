/** Addresses that begin with the same bits. IPv4 is held as IPv4-mapped IPv6, as a socket that serves both sees it. */
export interface IpRange {
  /** 16 bytes. */
  readonly address: Uint8Array;
  /** Bits that count, of 128. */
  readonly prefix: number;
}

/** Reads `192.0.2.7`, `10.0.0.0/8`, `2001:db8::1` or `fd00::/8` (RFC 4632, RFC 4291). */
export function parseIpRange(text: string): IpRange | undefined {
  const [, ip = '', length] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const address = parseIp(ip);
  if (address === undefined) return undefined;
  const bits = ip.includes(':') ? 128 : 32;
  const prefix = length === undefined ? bits : Number(length);
  return prefix > bits ? undefined : { address, prefix: prefix + 128 - bits };
}

/** @param ip as a runtime writes a peer's address; what is no address is in no range. */
export function isInRanges(ranges: readonly IpRange[], ip: string): boolean {
  if (ranges.length === 0) return false;
  const address = parseIp(ip.replace(/%.*$/, ''));
  return address !== undefined && ranges.some((range) => isInRange(range, address));
}

function isInRange(range: IpRange, address: Uint8Array): boolean {
  return range.address.every((byte, index) => {
    const bits = Math.min(8, Math.max(0, range.prefix - index * 8));
    const mask = (0xff << (8 - bits)) & 0xff;
    return (byte & mask) === ((address[index] ?? 0) & mask);
  });
}

function parseIp(text: string): Uint8Array | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

/** Four plain decimals: the other ways to write an address (`0177.1`, `0x7f000001`) are ways to hide one. */
function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split('.');
  const plain = parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256);
  if (parts.length !== 4 || !plain) return undefined;
  return new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...parts.map(Number)]);
}

/** `URL` knows all spellings, and writes eight groups of hex with the longest run of zeros as "::" (RFC 5952). */
function parseIpv6(text: string): Uint8Array | undefined {
  if (!/^[0-9a-f:.]+$/i.test(text) || !URL.canParse(`http://[${text}]/`)) return undefined;
  const [left = '', right] = new URL(`http://[${text}]/`).hostname.slice(1, -1).split('::');
  const groups = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number(`0x${group}`)));
  const [before, after] = [groups(left), groups(right ?? '')];
  const zeros = new Array<number>(8 - before.length - after.length).fill(0);
  return new Uint8Array([...before, ...zeros, ...after].flatMap((group) => [group >> 8, group & 0xff]));
}
