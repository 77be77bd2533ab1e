import { join, littleEndian, pieces } from './bytes.ts';

/** The largest stored block in bytes: its length field has 16 bits (RFC 1951, 3.2.4). */
const largestStoredBlock = 0xffff;

/**
 * A gzip member (RFC 1952) of stored deflate blocks, which has only one possible output. The output of a real
 * compressor differs between versions of zlib and so between runtimes, and every digest would differ with it.
 */
export function gzip(bytes: Uint8Array): Uint8Array {
  // Magic, deflate, no flags, no time, no hint of effort, unknown system.
  const head = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255);
  const blocks = pieces(bytes, largestStoredBlock);
  const body = blocks.flatMap((block, index) => [
    Uint8Array.of(index === blocks.length - 1 ? 1 : 0),
    littleEndian(block.length, 2),
    littleEndian(0xffff - block.length, 2),
    block,
  ]);
  return join([head, ...body, littleEndian(crc32(bytes), 4), littleEndian(bytes.length, 4)]);
}

/** The CRC-32 of RFC 1952, section 8. It works bit by bit, because the samples have only a few kilobytes. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
