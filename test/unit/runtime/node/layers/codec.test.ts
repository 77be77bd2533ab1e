import { Readable } from 'node:stream';
import {
  constants,
  createGunzip,
  createZstdCompress,
  createZstdDecompress,
  gzipSync,
  zstdCompressSync,
} from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../../../../converters/digest.ts';
import type { Decoder, GzipDecoder, LayerCodec, ZstdDecoder } from '../../../../../src/layers/codec.ts';
import { decompress } from '../../../../../src/layers/decompress.ts';
import { defaultDecompressionLimits } from '../../../../../src/layers/decompression-limits.ts';
import { inspectLayer } from '../../../../../src/layers/inspect.ts';
import { verifyingStream } from '../../../../../src/layers/verify.ts';
import { createFrameSplitter, type FramePiece } from '../../../../../src/layers/zstd/frame-splitter.ts';
import { createNodeLayerCodec } from '../../../../../src/runtime/node/layers/codec.ts';
import { driveZlib } from '../../../../../src/runtime/node/layers/zlib-engine.ts';
import { bytesOf, concatenated, sourceOf } from '../../../../support/byte-streams.ts';
import { layerContent } from '../../../../support/layer-content.ts';
import { settled } from '../../../../support/settled.ts';

const MiB = 2 ** 20;
const content = layerContent(3_000_000);
const skippable = Uint8Array.of(0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4);

/**
 * Compresses a stream of unknown size, as for a layer that is compressed while it is sent. Only then is the window as
 * large as requested.
 */
async function streamed(bytes: Uint8Array, windowLog: number): Promise<Uint8Array> {
  const params = { [constants.ZSTD_c_windowLog]: windowLog, [constants.ZSTD_c_checksumFlag]: 1 };
  return Buffer.concat(await Readable.from([bytes]).pipe(createZstdCompress({ params })).toArray());
}

function decompressWith(
  codec: LayerCodec,
  compressed: Uint8Array,
  compression: 'gzip' | 'zstd' = 'zstd',
  piece = 65_536,
): ReadableStream<Uint8Array> {
  const options = { codec, limits: defaultDecompressionLimits, what: 'layer X' };
  return decompress(sourceOf(compressed, { piece }).stream, compression, options);
}

async function digestBy(codec: LayerCodec, compressed: Uint8Array): Promise<string> {
  return digestOf(await bytesOf(decompressWith(codec, compressed)));
}

describe('zstd on Node', () => {
  const codec = createNodeLayerCodec();

  test.each([10, 17, 21, 23, 27])('a window of 2^%i bytes', async (windowLog) => {
    expect(await digestBy(codec, await streamed(content, windowLog))).toBe(digestOf(content));
  });

  test('windows that grow and shrink from frame to frame', async () => {
    const frames = await Promise.all([21, 10, 25, 12, 23, 27, 10].map((log) => streamed(content, log)));
    const whole = concatenated(...frames.map(() => content));
    expect(await digestBy(codec, concatenated(...frames))).toBe(digestOf(whole));
  });

  test('a window beyond 128 MiB is refused', async () => {
    const compressed = await streamed(content, 28);
    await expect(bytesOf(decompressWith(codec, compressed))).rejects.toMatchObject({
      code: 'UPSTREAM_CONTENT',
      message: expect.stringContaining(`window of ${256 * MiB} bytes; at most ${128 * MiB}`),
    });
  });

  test('thousands of frames, as zstd:chunked has', async () => {
    const files = Array.from({ length: 3000 }, (_, index) =>
      content.subarray(index * 900, (index + 1) * 900),
    );
    const compressed = concatenated(...files.map((file) => zstdCompressSync(file)), skippable);
    expect(await digestBy(codec, compressed)).toBe(digestOf(concatenated(...files)));
    let parts = 0;
    for await (const _ of decompressWith(codec, compressed)) parts += 1;
    expect(parts).toBeLessThan(100);
  });

  test('small and large frames in turns, in pieces of each size', async () => {
    const sizes = [0, 1, 255, 32_768, 32_769, 900, 500_000, 0, 40];
    const files = sizes.map((size) => content.subarray(0, size));
    const compressed = concatenated(...files.flatMap((file) => [zstdCompressSync(file), skippable]));
    for (const piece of [100, 30_000, 10_000_000]) {
      const stream = decompressWith(codec, compressed, 'zstd', piece);
      expect(digestOf(await bytesOf(stream))).toBe(digestOf(concatenated(...files)));
    }
  });

  test('a small frame takes no window: zstd:chunked has one for each file, and many layers', async () => {
    const decoder = codec.zstd.decompress(() => {
      throw new Error('a window is taken');
    });
    const bytes = zstdCompressSync(content.subarray(0, 900));
    const [piece] = createFrameSplitter({ windowLimit: MiB, unit: 'frame', what: 'layer X' }).split(bytes);
    if (piece === undefined) throw new Error('no frame');
    await decoder.prepare(piece);
    expect(digestOf(Buffer.concat(await Readable.from(decoder.push(piece)).toArray()))).toBe(
      digestOf(content.subarray(0, 900)),
    );
  });

  test.each([
    ['of one layer', 1, 20_000],
    ['of forty layers', 40, 500],
  ])('twenty thousand tiny frames %s leave turns of the event loop to others', async (_, layers, each) => {
    const frames = concatenated(...Array.from({ length: each }, () => zstdCompressSync(Buffer.of(7))));
    let turns = 0;
    let isRead = false;
    const count = () => {
      turns += 1;
      if (!isRead) setImmediate(count);
    };
    setImmediate(count);
    const reads = Array.from({ length: layers }, () =>
      bytesOf(decompressWith(codec, frames, 'zstd', 10_000_000)),
    );
    for (const content of await Promise.all(reads)) expect(content.length).toBe(each);
    isRead = true;
    expect(turns).toBeGreaterThan(50);
  });

  test.each([
    ['the checksum is wrong', (frame: Uint8Array) => frame.with(-1, (frame.at(-1) ?? 0) ^ 1), 'checksum'],
    ['the size is smaller than the content', (frame: Uint8Array) => frame.with(5, 5), 'size'],
    ['the size is larger than the content', (frame: Uint8Array) => frame.with(5, 60), 'corruption'],
  ])('a small frame is refused where %s', async (_, broken, reason) => {
    const params = { [constants.ZSTD_c_checksumFlag]: 1 };
    const frame = new Uint8Array(zstdCompressSync(Buffer.from('hello hello hello'), { params }));
    expect(digestOf(await bytesOf(decompressWith(codec, frame)))).toBe(
      digestOf(Buffer.from('hello hello hello')),
    );
    await expect(bytesOf(decompressWith(codec, broken(frame)))).rejects.toMatchObject({
      code: 'UPSTREAM_CONTENT',
      message: expect.stringContaining(reason),
    });
  });

  test('a wrong checksum is seen', async () => {
    const compressed = await streamed(content, 21);
    const last = compressed.length - 1;
    const stream = decompressWith(codec, compressed.with(last, (compressed[last] ?? 0) ^ 1));
    await expect(bytesOf(stream)).rejects.toMatchObject({ message: expect.stringContaining('checksum') });
  });

  // Node 26 reads several frames.
  const readsOneFrame = Number.parseInt(process.versions.node, 10) < 26;

  test.runIf(readsOneFrame).each([
    ['a second frame', [zstdCompressSync(content), zstdCompressSync(content)]],
    ['a skippable frame', [skippable, zstdCompressSync(content)]],
  ])('the decoder of Node stops before %s without a word: why frames are cut', async (_name, frames) => {
    const decoder = createZstdDecompress();
    decoder.end(concatenated(...frames));
    const out = Buffer.concat(await decoder.toArray());
    // If this fails, Node reads several frames, and the splitting of frames is needed for the windows only.
    expect(out.length).toBeLessThanOrEqual(content.length);
    expect(await digestBy(codec, concatenated(...frames))).toBe(
      digestOf(concatenated(...frames.filter((frame) => frame !== skippable).map(() => content))),
    );
  });
});

describe('gzip on Node', () => {
  test('one member, many members, an empty one', async () => {
    const codec = createNodeLayerCodec();
    const members = [content, new Uint8Array(), content.subarray(7)];
    for (const piece of [100, 65_536, 10_000_000]) {
      const stream = decompressWith(
        codec,
        concatenated(...members.map((each) => gzipSync(each))),
        'gzip',
        piece,
      );
      expect(digestOf(await bytesOf(stream))).toBe(digestOf(concatenated(...members)));
    }
  });
});

describe('the budget for windows', () => {
  test('a stream waits until another has given its window back', async () => {
    const codec = createNodeLayerCodec({ windowBudget: 128 * MiB });
    const compressed = await streamed(content, 27);
    const first = decompressWith(codec, compressed).getReader();
    await first.read();
    let done = false;
    const second = bytesOf(decompressWith(codec, compressed)).finally(() => {
      done = true;
    });
    await settled();
    expect(done).toBe(false);
    await first.cancel();
    expect(digestOf(await second)).toBe(digestOf(content));
  });

  test('windows are given back at the end, after an error and by a client that leaves the line', async () => {
    const codec = createNodeLayerCodec({ windowBudget: 128 * MiB });
    const compressed = await streamed(content, 27);
    await bytesOf(decompressWith(codec, compressed));
    await expect(bytesOf(decompressWith(codec, compressed.subarray(0, 1000)))).rejects.toThrow('cut short');
    const holder = decompressWith(codec, compressed).getReader();
    await holder.read();
    const waiting = decompressWith(codec, compressed).getReader();
    const read = waiting.read();
    await settled();
    await waiting.cancel('gone');
    expect((await read).done).toBe(true);
    await holder.cancel();
    expect(await digestBy(codec, compressed)).toBe(digestOf(content));
  });

  test('a later frame with a larger window is counted with it', async () => {
    const codec = createNodeLayerCodec({ windowBudget: 128 * MiB });
    const [small, large] = await Promise.all([streamed(content, 20), streamed(content, 27)]);
    const holder = decompressWith(codec, concatenated(small, large)).getReader();
    for (let read = 0; read <= content.length; ) read += (await holder.read()).value?.length ?? Number.NaN;
    const waiting = decompressWith(codec, small).getReader();
    let served = false;
    const first = waiting.read().finally(() => {
      served = true;
    });
    await settled();
    expect(served).toBe(false);
    await holder.cancel();
    await first;
    await waiting.cancel();
  });

  test('a measurement that waits for a window can be aborted', async () => {
    const codec = createNodeLayerCodec({ windowBudget: 128 * MiB });
    const compressed = await streamed(content, 27);
    const holder = decompressWith(codec, compressed).getReader();
    await holder.read();
    const abort = new AbortController();
    const { signal } = abort;
    const source = sourceOf(compressed);
    const limits = defaultDecompressionLimits;
    const facts = inspectLayer(source.stream, { codec, limits, digest: digestOf(compressed), signal });
    await settled();
    abort.abort(new Error('enough'));
    await expect(facts).rejects.toThrow('enough');
    expect(source.cancelled).toBeDefined();
    await holder.cancel();
  });

  test('a stream gives its small window back before it waits for a large one', async () => {
    const codec = createNodeLayerCodec({ windowBudget: 128 * MiB });
    const compressed = concatenated(await streamed(content, 20), await streamed(content, 27));
    const both = await Promise.all([digestBy(codec, compressed), digestBy(codec, compressed)]);
    const expected = digestOf(concatenated(content, content));
    expect(both).toEqual([expected, expected]);
  });
});

describe('an engine', () => {
  test('goes on by a piece or two while one is looked at, and no further', async () => {
    const gunzip = createGunzip();
    let made = 0;
    gunzip.on('data', (piece: Uint8Array) => {
      made += piece.length;
    });
    const output = driveZlib(gunzip).push(gzipSync(new Uint8Array(16 * MiB)));
    await output.next();
    await settled();
    expect(made).toBeLessThan(MiB);
    await output.return(undefined);
  });

  test.each(['at the end', 'after an error', 'when the client goes away'])('is closed %s', async (when) => {
    const { codec, closed } = counting(createNodeLayerCodec());
    for (const compression of ['gzip', 'zstd'] as const) {
      const compressed = compression === 'gzip' ? gzipSync(content) : zstdCompressSync(content);
      const stream = decompressWith(
        codec,
        when === 'after an error' ? compressed.subarray(0, 900) : compressed,
        compression,
      );
      const reader = stream.getReader();
      await reader.read().catch(() => undefined);
      if (when === 'when the client goes away') await reader.cancel();
      else for (let done = false; !done; ) done = (await reader.read().catch(() => ({ done: true }))).done;
    }
    expect(closed()).toBe(2);
  });

  test('lets go of what it held when it is closed', () => {
    const gunzip = createGunzip();
    driveZlib(gunzip).close();
    expect(gunzip.destroyed).toBe(true);
  });
});

describe('a slow reader', () => {
  const zeros = new Uint8Array(64 * MiB);
  const noise = Uint8Array.from({ length: 16 * MiB }, (_, index) => Math.imul(index, 2_654_435_761) >>> 13);

  test.each([
    ['zstd, a thousand to one', 'zstd', zstdCompressSync(zeros)],
    ['gzip, a thousand to one', 'gzip', gzipSync(zeros)],
    [
      'zstd, one to one',
      'zstd',
      zstdCompressSync(noise, { params: { [constants.ZSTD_c_compressionLevel]: -5 } }),
    ],
    ['gzip, one to one', 'gzip', gzipSync(noise, { level: 0 })],
  ] as const)('%s: nothing runs ahead of it by more than 2 MiB', async (_name, compression, compressed) => {
    const { codec, decompressed } = counting(createNodeLayerCodec());
    const source = sourceOf(compressed, { piece: 65_536 });
    const plain = decompress(source.stream, compression, {
      codec,
      limits: defaultDecompressionLimits,
      what: 'layer X',
    });
    const expected = { digest: digestOf(new Uint8Array()), size: zeros.length };
    const reader = verifyingStream(plain, expected, { codec, what: 'layer X' }).getReader();
    let read = 0;
    for (let turn = 0; turn < 10; turn += 1) {
      read += (await reader.read()).value?.length ?? 0;
      await settled();
      expect(decompressed() - read).toBeLessThan(2 * MiB);
      if (compressed.length > 8 * MiB) expect(source.taken - read).toBeLessThan(2 * MiB);
    }
    await reader.cancel();
    expect(source.cancelled).toBeDefined();
  });
});

/** Wraps a codec: counts the bytes that its decoders have made, and the decoders that were closed. */
function counting(codec: LayerCodec): {
  readonly codec: LayerCodec;
  readonly decompressed: () => number;
  readonly closed: () => number;
} {
  let decompressed = 0;
  let closed = 0;
  async function* count(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces) {
      decompressed += piece.length;
      yield piece;
    }
  }
  const counted = <Compressed, Kind extends Decoder<Compressed>>(decoder: Kind) => ({
    ...decoder,
    push: (piece: Compressed) => count(decoder.push(piece)),
    close() {
      closed += 1;
      decoder.close();
    },
  });
  return {
    decompressed: () => decompressed,
    closed: () => closed,
    codec: {
      ...codec,
      zstd: {
        ...codec.zstd,
        decompress: (take) => counted<FramePiece, ZstdDecoder>(codec.zstd.decompress(take)),
      },
      gunzip() {
        const decoder = codec.gunzip();
        return { ...counted<Uint8Array, GzipDecoder>(decoder), end: () => count(decoder.end()) };
      },
    },
  };
}
