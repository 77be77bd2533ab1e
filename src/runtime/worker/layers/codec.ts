import type { Digest } from '../../../../converters/digest.ts';
import type { LayerCodec, LayerHashAlgorithm, StreamHash } from '../../../layers/codec.ts';
import { gunzip } from './gunzip.ts';
import { unzstd } from './unzstd.ts';

/** What RFC 8878 (section 3.1.1.1.2) asks every decoder for; an isolate has 128 MiB for all that it does. */
const windowLimit = 8 * 2 ** 20;

/** Libraries unpack, the platform hashes: it has no zstd, and of gzip only a part (`gunzip`). */
export const workerLayerCodec: LayerCodec = {
  gunzip,
  zstd: { windowLimit, unit: 'block', decompress: unzstd },
  hash: platformHash,
};

/** Of Workers alone. Declared here, because tests that run on both runtimes are compiled with the types of Node. */
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
      return `${algorithm}:${hex(new Uint8Array(await stream.digest))}` as Digest;
    },
  };
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
