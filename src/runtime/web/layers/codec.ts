import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { Decompress } from 'fzstd';
import type { Digest } from '../../../../converters/digest.ts';
import type { LayerCodec, LayerHashAlgorithm, StreamHash, ZstdDecoder } from '../../../layers/codec.ts';
import { gunzip } from './gunzip.ts';

/** The window that RFC 8878 (section 3.1.1.1.2) asks of every decoder. An isolate has 128 MiB in all. */
const windowLimit = 8 * 2 ** 20;

/**
 * The codec of runtimes that have the classes of the web alone. Libraries decompress: the web has no zstd, and only a
 * part of gzip (`gunzip`).
 */
export const webLayerCodec: LayerCodec = {
  gunzip,
  zstd: { windowLimit, unit: 'block', decompress: unzstd },
  hash: (algorithm) => ('DigestStream' in crypto ? platformHash : libraryHash)(algorithm),
};

/** A class of Workers. It is declared here because tests for both runtimes are compiled with the types of Node. */
interface DigestStream extends WritableStream<Uint8Array> {
  readonly digest: Promise<ArrayBuffer>;
}
type Digests = { readonly DigestStream: new (algorithm: string) => DigestStream };

const platformNames = { sha256: 'SHA-256', sha384: 'SHA-384', sha512: 'SHA-512' } as const;

function platformHash(algorithm: LayerHashAlgorithm): StreamHash {
  const stream = new (crypto as unknown as Digests).DigestStream(platformNames[algorithm]);
  const writer = stream.getWriter();
  return {
    update: (bytes) => writer.write(bytes),
    async digest() {
      await writer.close();
      return `${algorithm}:${bytesToHex(new Uint8Array(await stream.digest))}` as Digest;
    },
  };
}

const libraries = { sha256, sha384, sha512 } as const;

/** A hash by a library: `crypto.subtle` hashes no stream (Web Cryptography API, `digest`). */
export function libraryHash(algorithm: LayerHashAlgorithm): StreamHash {
  const hash = libraries[algorithm].create();
  return {
    update: (bytes) => void hash.update(bytes),
    digest: async () => `${algorithm}:${bytesToHex(hash.digest())}` as Digest,
  };
}

/**
 * zstd by a library. It holds back the end of a short frame until the frame is known to end, so each frame has its
 * own engine. It verifies no checksum; its caller verifies a digest.
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
