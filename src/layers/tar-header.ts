/** The length of a header of a tar, and of each block, in bytes. */
export const tarBlockLength = 512;

const checksumField = { first: 148, end: 156 } as const;

/**
 * Whether bytes are the first block of a tar: a header with its own checksum (POSIX.1-1988, ustar interchange format),
 * or the zeros that end an empty one. Some old programs add the bytes of the checksum as signed numbers
 * (archive/tar of Go, `block.computeChecksum`), so both sums are right.
 * @param block the first bytes of a layer; more or fewer than `tarBlockLength`.
 */
export function startsTar(block: Uint8Array): boolean {
  if (block.length < tarBlockLength) return false;
  const header = block.subarray(0, tarBlockLength);
  if (header.every((byte) => byte === 0)) return true;
  const field = String.fromCharCode(...header.subarray(checksumField.first, checksumField.end));
  const digits = /^ *([0-7]+)[ \0]*$/.exec(field)?.[1];
  if (digits === undefined) return false;
  let unsigned = 0;
  let signed = 0;
  for (const [place, stored] of header.entries()) {
    const byte = place >= checksumField.first && place < checksumField.end ? 0x20 : stored;
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  const stated = Number.parseInt(digits, 8);
  return stated === unsigned || stated === signed;
}
