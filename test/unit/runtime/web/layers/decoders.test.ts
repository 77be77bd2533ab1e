import { createHash } from 'node:crypto';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../../../../converters/digest.ts';
import { decompress } from '../../../../../src/layers/decompress.ts';
import { defaultDecompressionLimits } from '../../../../../src/layers/decompression-limits.ts';
import { webLayerCodec } from '../../../../../src/runtime/web/layers/codec.ts';
import { concatenated, received, sourceOf } from '../../../../support/byte-streams.ts';
import { layerContent } from '../../../../support/layer-content.ts';

/** On Node, the codec has the libraries of a Worker, and hashes by a library, too. */
const codec = webLayerCodec;
const limits = { ...defaultDecompressionLimits, bombBytes: 10_000_000 };

function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/**
 * Contents that make compressors write every kind of block: repetitions, runs, noise, few symbols, short content, and
 * none.
 */
function contentOf(next: (below: number) => number): Uint8Array {
  const length = next(3) === 0 ? next(300) : next(300_000);
  const kinds = [
    () => layerContent(length),
    () => new Uint8Array(length).fill(next(256)),
    () => Uint8Array.from({ length }, () => next(256)),
    () => Uint8Array.from({ length }, () => 65 + next(3)),
    () => Uint8Array.from({ length }, (_, index) => (index % (1 + next(4))) + next(2)),
  ];
  return kinds[next(kinds.length)]?.() ?? new Uint8Array();
}

function pack(next: (below: number) => number, compression: 'gzip' | 'zstd', bytes: Uint8Array): Uint8Array {
  if (compression === 'gzip') return gzipSync(bytes, { level: next(10), strategy: next(5) });
  return zstdCompressSync(bytes, {
    params: {
      [constants.ZSTD_c_compressionLevel]: [-5, 1, 3, 9, 17][next(5)] ?? 3,
      [constants.ZSTD_c_checksumFlag]: next(2),
      [constants.ZSTD_c_contentSizeFlag]: next(2),
      [constants.ZSTD_c_windowLog]: 10 + next(14),
    },
  });
}

describe.each(['gzip', 'zstd'] as const)('%s by the libraries of the Worker', (compression) => {
  const what = 'layer X';

  test('unpacks what Node has packed', async () => {
    for (let seed = 1; seed <= 40; seed += 1) {
      const next = random(seed);
      const parts = Array.from({ length: 1 + next(4) }, () => contentOf(next));
      const compressed = concatenated(...parts.map((part) => pack(next, compression, part)));
      const piece = [100 + next(50), 1 + next(5000), 65_536][next(3)] ?? 1;
      const stream = decompress(sourceOf(compressed, { piece }).stream, compression, { codec, limits, what });
      const { bytes, error } = await received(stream);
      expect({ seed, error, digest: digestOf(bytes) }).toEqual({
        seed,
        error: undefined,
        digest: digestOf(concatenated(...parts)),
      });
    }
  });

  test('refuses what is cut short', async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const next = random(seed);
      const compressed = pack(next, compression, contentOf(next));
      const length = [
        compressed.length - 1,
        compressed.length - 4,
        compressed.length - 8,
        next(compressed.length),
      ][next(4)];
      const stream = decompress(sourceOf(compressed.subarray(0, length)).stream, compression, {
        codec,
        limits,
        what,
      });
      const { error } = await received(stream);
      expect({ seed, error }).toMatchObject({ seed, error: { code: 'UPSTREAM_CONTENT' } });
    }
  });

  test('comes to an end with whatever it is given', async () => {
    for (let seed = 1; seed <= 60; seed += 1) {
      const next = random(seed);
      const compressed = pack(next, compression, contentOf(next));
      for (let change = next(4); change >= 0; change -= 1) compressed[next(compressed.length)] = next(256);
      const stream = decompress(sourceOf(compressed).stream, compression, { codec, limits, what });
      const { error } = await received(stream);
      if (error !== undefined)
        expect(error).toMatchObject({ name: 'RegistryError', code: 'UPSTREAM_CONTENT' });
    }
  });
});

test.each(['sha256', 'sha384', 'sha512'] as const)(
  '%s of a stream is that of all its bytes',
  async (name) => {
    const bytes = layerContent(100_000);
    const hash = codec.hash(name);
    for (let at = 0; at < bytes.length; at += 7_777) await hash.update(bytes.subarray(at, at + 7_777));
    expect(await hash.digest()).toBe(`${name}:${createHash(name).update(bytes).digest('hex')}`);
  },
);
