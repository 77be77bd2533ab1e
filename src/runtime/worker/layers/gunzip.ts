import { Gunzip } from 'fflate';
import type { GzipDecoder } from '../../../layers/codec.ts';

/**
 * Deflate gives at most 1032 bytes for one, and all that a piece unpacks to is in memory at once. Nor is less given
 * to the library at a time, for it copies its window of 32 KiB with each piece.
 */
const pieceLength = 8 * 1024;

/** The header and trailer of a member, and the shortest deflate stream (RFC 1952, section 2.3). */
const shortestMember = 20;

/**
 * A library's gunzip: `DecompressionStream` stops with an error where a second member begins ("Trailing bytes after
 * end of compressed data", as its standard demands), and an eStargz layer has one for each of its files.
 * The library tells no one when its input is cut short, so the length at the end is compared with what came out
 * (RFC 1952, section 2.3.1, ISIZE). It verifies no CRC; whoever unpacks a layer verifies a digest.
 */
export function gunzip(): GzipDecoder {
  const ready: Uint8Array[] = [];
  let waiting = new Uint8Array(pieceLength);
  let filled = 0;
  let compressed = 0;
  let memberSize = 0;
  const tail = new Uint8Array(4);
  const engine = new Gunzip((piece) => {
    memberSize += piece.length;
    ready.push(piece);
  });
  engine.onmember = () => {
    memberSize = 0;
  };

  function* decompressWaiting(last: boolean): Generator<Uint8Array> {
    engine.push(waiting.subarray(0, filled), last);
    waiting = new Uint8Array(pieceLength);
    filled = 0;
    for (const piece of ready.splice(0)) if (piece.length > 0) yield piece;
  }

  function remember(bytes: Uint8Array): void {
    compressed += bytes.length;
    const end = bytes.subarray(-tail.length);
    tail.copyWithin(0, end.length);
    tail.set(end, tail.length - end.length);
  }

  return {
    async *push(bytes) {
      remember(bytes);
      for (let at = 0; at < bytes.length; ) {
        const next = bytes.subarray(at, at + pieceLength - filled);
        waiting.set(next, filled);
        filled += next.length;
        at += next.length;
        if (filled === pieceLength) yield* decompressWaiting(false);
      }
    },
    async *end() {
      yield* decompressWaiting(false);
      yield* decompressWaiting(true);
      const isize = new DataView(tail.buffer).getUint32(0, true);
      if (compressed < shortestMember || isize !== memberSize % 2 ** 32)
        throw new Error('unexpected end of file');
    },
    close() {
      // The library holds nothing but arrays.
    },
  };
}
