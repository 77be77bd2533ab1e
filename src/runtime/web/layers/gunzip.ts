import { Gunzip } from 'fflate';
import type { GzipDecoder } from '../../../layers/codec.ts';

/**
 * Input bytes per step: deflate makes at most 1032 bytes out of one, and the output of a step is in memory at once.
 * Smaller steps cost more, since the library copies its window of 32 KiB for each.
 */
const pieceLength = 8 * 1024;

/** The header and trailer of a member, and the shortest deflate stream (RFC 1952, section 2.3). */
const shortestMember = 20;

/**
 * gunzip by a library. `DecompressionStream` fails where a second member begins ("Trailing bytes after end of
 * compressed data", as its standard demands), and an eStargz layer has a member for each file. The library does not
 * report input that is cut short, so the length at the end is compared with the output (RFC 1952, section 2.3.1,
 * ISIZE). It verifies no CRC; its caller verifies a digest.
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
      // The library holds arrays only.
    },
  };
}
