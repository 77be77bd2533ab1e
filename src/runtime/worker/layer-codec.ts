import { Decompress } from 'fzstd';
import type { Digest } from '../../../converters/digest.ts';
import type { Decoder, HashAlgorithm, LayerCodec, StreamHash } from '../../layers/codec.ts';
import type { FramePiece } from '../../layers/zstd-frames.ts';
import { gunzip } from './gunzip.ts';

/** What RFC 8878 (section 3.1.1.1.2) asks every decoder for; an isolate has 128 MiB for all that it does. */
const windowLimit = 8 * 2 ** 20;

/** Libraries unpack, the platform hashes: it has no zstd, and of gzip only a part (`gunzip`). */
export const workerLayerCodec: LayerCodec = {
  gunzip,
  zstd: { windowLimit, unit: 'block', unpack: unzstd },
  hash: platformHash,
};

/** fzstd holds the end of a short frame back until it is told that it was the end; so each has its own. */
function unzstd(): Decoder<FramePiece> {
  const ready: Uint8Array[] = [];
  let engine: Decompress | undefined;
  return {
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

const platformNames = { sha256: 'SHA-256', sha384: 'SHA-384', sha512: 'SHA-512' } as const;

function platformHash(algorithm: HashAlgorithm): StreamHash {
  const stream = new crypto.DigestStream(platformNames[algorithm]);
  const writer = stream.getWriter();
  return {
    update: (bytes) => writer.write(bytes),
    async digest() {
      await writer.close();
      return `${algorithm}:${hex(new Uint8Array(await stream.digest))}` as Digest;
    },
  };
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
