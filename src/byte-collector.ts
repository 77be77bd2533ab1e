import { concatenate } from '../converters/bytes.ts';

/** Bytes that arrive in pieces. */
export interface ByteCollector {
  add(piece: Uint8Array): void;
  whole(): Uint8Array;
}

/** Pieces that are kept before they become one. */
const mostPieces = 256;

/** Collects pieces of any size: an object for each byte of four million would take more than a gigabyte of memory. */
export function createByteCollector(): ByteCollector {
  const parts: Uint8Array[] = [];
  let pieces: Uint8Array[] = [];
  return {
    add(piece) {
      pieces.push(piece);
      if (pieces.length < mostPieces) return;
      parts.push(concatenate(pieces));
      pieces = [];
    },
    whole: () => concatenate([...parts, ...pieces]),
  };
}
