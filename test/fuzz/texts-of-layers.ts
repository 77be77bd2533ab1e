import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { RegistryError } from '../../src/errors.ts';
import { compressionOf } from '../../src/layers/compression.ts';
import { decompress } from '../../src/layers/decompress.ts';
import { createNodeLayerCodec } from '../../src/runtime/node/layers/codec.ts';
import { hold, type TextTarget } from './text-target.ts';

const codec = createNodeLayerCodec();
const limits = { bytes: 1_000_000, bombBytes: 100_000, bombRatio: 1_000 };
const tar = Buffer.from('a layer of some words '.repeat(40));
const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

/** Decompresses in pieces of a few bytes. @returns undefined for a layer that is broken. */
async function read(bytes: Uint8Array, compression: 'gzip' | 'zstd'): Promise<Buffer | undefined> {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += 61) pieces.push(bytes.slice(at, at + 61));
  const stream = ReadableStream.from(pieces) as ReadableStream<Uint8Array>;
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of decompress(stream, compression, { codec, limits, what: 'layer' }))
      chunks.push(chunk);
  } catch (error) {
    if (error instanceof RegistryError) return undefined;
    throw error;
  }
  return Buffer.concat(chunks);
}

function whole(work: () => Buffer): Buffer | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

export const layerTargets: Readonly<Record<string, TextTarget>> = {
  layer: {
    seeds: [
      gzipSync(tar),
      Buffer.concat([gzipSync(tar), gzipSync('more')]),
      zstdCompressSync(tar),
      Buffer.concat([
        zstdCompressSync(tar),
        Buffer.from('502a4d180300000061626300', 'hex').subarray(0, 11),
        zstdCompressSync('more'),
      ]),
      Buffer.from('28b52ffd', 'hex'),
      tar,
    ].map(textOf),
    async check(text) {
      // A mutation may repeat a piece twenty thousand times.
      const bytes = new Uint8Array(Buffer.from(text.slice(0, 20_000), 'latin1'));
      const compression = compressionOf(bytes);
      if (compression === 'none') return 'none';
      const found = await read(bytes, compression);
      const meant = whole(() =>
        compression === 'gzip'
          ? gunzipSync(bytes, { maxOutputLength: limits.bytes })
          : zstdDecompressSync(bytes, { maxOutputLength: limits.bytes }),
      );
      // The other reader ignores what follows, and stops after the first frame of zstd.
      if (found && meant) hold(found.subarray(0, meant.length).equals(meant), 'what zlib reads');
      return `${compression} ${found === undefined ? 'broken' : found.length > tar.length ? 'more' : 'read'} ${meant !== undefined}`;
    },
  },
};
