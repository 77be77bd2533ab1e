import { join, littleEndian, pieces } from './bytes.ts';

/** The length field of a stored block has 16 bits (RFC 1951, 3.2.4). */
const largestStoredBlock = 0xffff;

/**
 * A gzip member (RFC 1952) whose deflate blocks are all stored. A real compressor's output differs from zlib to
 * zlib and so from runtime to runtime, and with it every digest; this one has a single possible output.
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

/** CRC-32 of RFC 1952, section 8; bit by bit, for the samples are a few kilobytes. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
