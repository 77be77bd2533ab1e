import { Decompress } from 'fzstd';
import type { ZstdDecoder } from '../../../layers/codec.ts';

/**
 * A library's zstd. It holds the end of a short frame back until it is told that it was the end, so each frame has
 * an engine of its own. It verifies no checksum; whoever unpacks a layer verifies a digest.
 */
export function unzstd(): ZstdDecoder {
  const ready: Uint8Array[] = [];
  let engine: Decompress | undefined;
  return {
    prepare: () => undefined,
    async *push({ bytes, opens, closes }) {
      if (opens !== undefined) engine = new Decompress((piece) => ready.push(piece));
      engine?.push(bytes, closes);
      for (const piece of ready.splice(0)) if (piece.length > 0) yield piece;
    },
    close() {
      engine = undefined;
    },
  };
}
