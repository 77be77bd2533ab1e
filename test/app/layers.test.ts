import { describe, expect, test } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { createMemoryCache } from '../../src/cache/cache.ts';
import { sliceStream } from '../../src/layers/byte-range.ts';
import { decompress } from '../../src/layers/decompress.ts';
import {
  type DecompressionLimits,
  defaultDecompressionLimits,
} from '../../src/layers/decompression-limits.ts';
import { inspectLayer } from '../../src/layers/inspect.ts';
import { createLayerInspector, createLayerLeases } from '../../src/layers/inspector.ts';
import { verifyingStream } from '../../src/layers/verify.ts';
import { gzip } from '../../src/sample-registry/gzip.ts';
import { zstd } from '../../src/sample-registry/zstd.ts';
import { bytesOf, concatenated, received, sourceOf } from '../support/byte-streams.ts';
import { layerContent } from '../support/layer-content.ts';
import { layerRequest } from '../support/layer-request.ts';
import { testMemory } from '../support/memory.ts';
import { compressedLength, gzipMembers, zstdFrames } from '../support/packed-content.ts';
import { runtimeCodec as codec } from '../support/runtime-codec.ts';
import { settled } from '../support/settled.ts';

const content = layerContent(compressedLength);
const [firstFrame, secondFrame] = zstdFrames as [Uint8Array, Uint8Array];
const skippable = Uint8Array.of(0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3);
const emptyFrame = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x20, 0, 1, 0, 0);

const layers: readonly [name: string, compression: 'gzip' | 'zstd' | 'none', packed: Uint8Array][] = [
  ['zstd of two frames with checksums', 'zstd', concatenated(firstFrame, secondFrame)],
  ['a skippable frame first', 'zstd', concatenated(skippable, firstFrame, secondFrame)],
  ['a skippable frame in the middle', 'zstd', concatenated(firstFrame, skippable, secondFrame)],
  ['skippable frames last', 'zstd', concatenated(firstFrame, secondFrame, skippable, skippable)],
  [
    'empty frames everywhere',
    'zstd',
    concatenated(emptyFrame, firstFrame, emptyFrame, secondFrame, emptyFrame),
  ],
  ['zstd of the sample registry', 'zstd', zstd(content, { contentSize: true })],
  [
    'zstd that does not say its size',
    'zstd',
    zstd(content, { contentSize: false, frames: 7, skippable: 'last' }),
  ],
  ['gzip of two members', 'gzip', concatenated(...gzipMembers)],
  ['gzip of the sample registry', 'gzip', gzip(content)],
  ['a plain tar', 'none', content],
];

/** Lengths of the pieces that upstream sends: single bytes, parts of headers, several frames. */
const pieces = [1, 7, 1000, 1_000_000];

function decompressTest(
  compressed: ReadableStream<Uint8Array>,
  compression: 'gzip' | 'zstd' | 'none',
  limits: Partial<DecompressionLimits> = {},
): ReadableStream<Uint8Array> {
  return decompress(compressed, compression, {
    codec,
    limits: { ...defaultDecompressionLimits, ...limits },
    what: 'layer X',
  });
}

describe('decompressing', () => {
  test.each(layers)('%s', async (_name, compression, compressed) => {
    for (const piece of pieces.filter((each) => each > 1 || compressed.length < 20_000)) {
      expect(await digested(decompressTest(sourceOf(compressed, { piece }).stream, compression))).toBe(
        digestOf(content),
      );
    }
  });

  test('empty content is empty', async () => {
    for (const compressed of [emptyFrame, skippable, zstd(new Uint8Array(), { contentSize: false })]) {
      expect(await bytesOf(decompressTest(sourceOf(compressed).stream, 'zstd'))).toHaveLength(0);
    }
    const nothing = await bytesOf(decompressTest(sourceOf(gzip(new Uint8Array())).stream, 'gzip'));
    expect(nothing).toHaveLength(0);
  });

  test.each(layers.filter(([, compression]) => compression !== 'none'))(
    '%s: truncated content is refused',
    async (_name, compression, compressed) => {
      const whole = new Set(frameEnds(compressed));
      const lengths = [0, 1, 3, 5, 9, 2000, compressed.length - 5, compressed.length - 1];
      for (const length of lengths.filter((each) => !whole.has(each))) {
        const cut = decompressTest(sourceOf(compressed.subarray(0, length)).stream, compression);
        await expect(bytesOf(cut), `${length} bytes`).rejects.toMatchObject({
          name: 'RegistryError',
          code: 'UPSTREAM_CONTENT',
          message: expect.stringContaining('layer X'),
        });
      }
    },
  );

  test.each([
    ['zstd', concatenated(firstFrame, Uint8Array.of(1, 2, 3, 4, 5)), 'goes on after its last zstd frame'],
    ['zstd', concatenated(firstFrame, Uint8Array.of(0)), 'cut short'],
    ['zstd', content, 'should be zstd and is not'],
    ['gzip', concatenated(...gzipMembers, content.subarray(0, 100)), 'is broken gzip'],
    ['gzip', concatenated(...gzipMembers, new Uint8Array(512)), 'is broken gzip'],
    ['gzip', content, 'is broken gzip'],
  ] as const)('%s: trailing or wrong content is refused (%#)', async (compression, compressed, message) => {
    for (const piece of pieces) {
      await expect(
        bytesOf(decompressTest(sourceOf(compressed, { piece }).stream, compression)),
      ).rejects.toMatchObject({
        code: 'UPSTREAM_CONTENT',
        message: expect.stringContaining(message),
      });
    }
  });

  test('a window beyond the limit is refused before its memory is allocated, and the error names the limit', async () => {
    const header = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, 31 << 3);
    const source = sourceOf(concatenated(firstFrame, header, new Uint8Array(1000)));
    await expect(bytesOf(decompressTest(source.stream, 'zstd'))).rejects.toMatchObject({
      code: 'UPSTREAM_CONTENT',
      message: expect.stringContaining(`at most ${codec.zstd.windowLimit}`),
      detail: { fault: 'window' },
    });
    expect(source.cancelled).toBeDefined();
  });

  test('a dictionary, a reserved bit, a reserved block and a block beyond 128 KiB are refused', async () => {
    const magic = [0x28, 0xb5, 0x2f, 0xfd];
    const bad = [
      [...magic, 0x21, 7, 0, 1, 0, 0],
      [...magic, 0x28, 0, 1, 0, 0],
      [...magic, 0x20, 0, 7, 0, 0],
      [...magic, 0x00, 0x38, 3, 0xff, 0xff, 9],
    ];
    for (const bytes of bad) {
      const stream = decompressTest(sourceOf(Uint8Array.from(bytes)).stream, 'zstd');
      await expect(bytesOf(stream)).rejects.toMatchObject({ detail: { fault: 'not-readable' } });
    }
  });

  test('a decompression bomb is stopped soon after the limit', async () => {
    // Blocks of one byte repeated 131072 times, four bytes each: 32768 for one.
    const blocks = Array.from({ length: 10_000 }, () => [0x02, 0x00, 0x10, 0]).flat();
    const bomb = Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x38, ...blocks]);
    const limits = { bombBytes: 2 ** 21, bombRatio: 100 };
    const { bytes, error } = await received(decompressTest(sourceOf(bomb).stream, 'zstd', limits));
    expect(error).toMatchObject({ code: 'UPSTREAM_CONTENT', detail: { fault: 'bomb' } });
    expect(bytes.length).toBeLessThanOrEqual(2 ** 21);
    expect(bytes.length).toBeGreaterThan(2 ** 20);
  });

  test('a layer above the size limit is refused', async () => {
    const stream = decompressTest(sourceOf(concatenated(...gzipMembers)).stream, 'gzip', { bytes: 199_999 });
    await expect(bytesOf(stream)).rejects.toMatchObject({
      detail: { fault: 'too-large' },
      message: expect.stringContaining('REGSHIFT_LAYER_BYTES'),
    });
  });

  test('a response of upstream that breaks off is an error, not the end of the layer', async () => {
    for (const [, compression, compressed] of layers) {
      const source = sourceOf(compressed.subarray(0, 3000), { after: 'error' });
      await expect(bytesOf(decompressTest(source.stream, compression))).rejects.toMatchObject({
        code: 'UPSTREAM_ANSWER',
        message: expect.stringContaining('broke off'),
      });
    }
  });

  test('a client that disconnects cancels upstream, even when upstream sends nothing', async () => {
    for (const [, compression, compressed] of layers) {
      const source = sourceOf(compressed.subarray(0, 3000), { after: 'silence' });
      const reader = decompressTest(source.stream, compression).getReader();
      const reading = drained(reader);
      await settled();
      await reader.cancel('gone');
      await reading;
      expect(source.cancelled).toEqual({ reason: 'gone' });
    }
  });

  test('only as much is read as the client takes', async () => {
    const long = concatenated(...Array.from({ length: 400 }, () => firstFrame));
    const source = sourceOf(long);
    const reader = decompressTest(source.stream, 'zstd').getReader();
    await reader.read();
    await settled();
    // Less than 2 MiB of 60 MB.
    expect(source.taken).toBeLessThan((2 ** 21 / 150_000) * firstFrame.length);
    await reader.cancel();
  });
});

describe('measuring', () => {
  test.each(layers)('%s', async (_name, compression, compressed) => {
    const read: number[] = [];
    const facts = await inspectLayer(sourceOf(compressed).stream, {
      codec,
      limits: defaultDecompressionLimits,
      digest: digestOf(compressed),
      onRead: (bytes) => read.push(bytes),
    });
    expect(facts).toEqual({
      compression,
      packedSize: compressed.length,
      size: content.length,
      diffId: digestOf(content),
    });
    expect(read.at(-1)).toBe(compressed.length);
  });

  const measured = (compressed: Uint8Array, digest = digestOf(compressed)) =>
    inspectLayer(sourceOf(compressed).stream, { codec, limits: defaultDecompressionLimits, digest });

  test('a layer named by sha512', async () => {
    const compressed = gzip(content);
    expect(await measured(compressed, digestOf(compressed, 'sha512'))).toMatchObject({
      diffId: digestOf(content),
    });
  });

  test('bytes that do not match the digest yield no facts', async () => {
    // A further skippable frame changes the compressed bytes alone.
    const wrong = measured(concatenated(firstFrame, skippable), digestOf(firstFrame));
    await expect(wrong).rejects.toMatchObject({ code: 'UPSTREAM_CONTENT', detail: { fault: 'mismatch' } });
  });

  test('xz and bzip2 are not treated as a plain tar', async () => {
    for (const magic of [
      [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0],
      [0x42, 0x5a, 0x68, 0x39, 0x31, 0x41],
    ]) {
      const compressed = concatenated(Uint8Array.from(magic), content);
      await expect(measured(compressed)).rejects.toMatchObject({ detail: { fault: 'not-readable' } });
    }
  });

  test('a plain layer of a byte or none', async () => {
    expect(await measured(Uint8Array.of(0x28))).toMatchObject({ compression: 'none', size: 1 });
    expect(await measured(new Uint8Array())).toMatchObject({ size: 0, diffId: digestOf(new Uint8Array()) });
  });

  test('an abort ends it with the reason, and cancels upstream', async () => {
    for (const [, , compressed] of layers) {
      const source = sourceOf(compressed.subarray(0, 3000), { after: 'silence' });
      const abort = new AbortController();
      const facts = inspectLayer(source.stream, {
        codec,
        limits: defaultDecompressionLimits,
        digest: digestOf(compressed),
        signal: abort.signal,
      });
      await settled();
      abort.abort(new Error('enough'));
      await expect(facts).rejects.toThrow('enough');
      expect(source.cancelled).toBeDefined();
    }
  });
});

describe('a verified stream', () => {
  const expected = { digest: digestOf(content), size: content.length };

  test('passes correct content, for each algorithm', async () => {
    for (const algorithm of ['sha256', 'sha384', 'sha512'] as const) {
      const digest = digestOf(content, algorithm);
      const stream = verifyingStream(
        sourceOf(content).stream,
        { ...expected, digest },
        { codec, what: 'layer X' },
      );
      expect(await digested(stream)).toBe(digestOf(content));
    }
    const empty = { digest: digestOf(new Uint8Array()), size: 0 };
    expect(
      await bytesOf(verifyingStream(sourceOf(new Uint8Array()).stream, empty, { codec, what: 'layer X' })),
    ).toHaveLength(0);
  });

  test.each([
    ['a wrong byte', content.with(10, 0)],
    ['a byte too few', content.subarray(1)],
    ['a byte too many', concatenated(content, Uint8Array.of(0))],
    ['much more', concatenated(content, content, content)],
    ['nothing', new Uint8Array()],
  ])('%s: it errors, and less has come out than was announced', async (_name, bytes) => {
    for (const piece of [1000, 1_000_000]) {
      const stream = verifyingStream(sourceOf(bytes, { piece }).stream, expected, { codec, what: 'layer X' });
      const result = await received(stream);
      expect(result.error).toMatchObject({ code: 'UPSTREAM_CONTENT', detail: { fault: 'mismatch' } });
      expect(result.bytes.length).toBeLessThan(content.length);
    }
  });

  test('a wrong size is an error, although the digest is right', async () => {
    for (const size of [content.length - 1, content.length + 1]) {
      const stream = verifyingStream(
        sourceOf(content).stream,
        { ...expected, size },
        { codec, what: 'layer X' },
      );
      expect((await received(stream)).error).toMatchObject({ detail: { fault: 'mismatch' } });
    }
  });

  test('cancels upstream when it is cancelled', async () => {
    const source = sourceOf(content);
    await verifyingStream(source.stream, expected, { codec, what: 'layer X' }).cancel('gone');
    expect(source.cancelled).toEqual({ reason: 'gone' });
  });
});

describe('a slice', () => {
  const spans = [
    [0, 0],
    [0, compressedLength - 1],
    [999, 1000],
    [1000, 1999],
    [12_345, 67_890],
    [compressedLength - 1, compressedLength - 1],
  ] as const;

  test.each(spans)('from %i to %i of a decompressed and verified stream', async (start, end) => {
    const source = sourceOf(concatenated(...zstdFrames));
    const plain = decompressTest(source.stream, 'zstd');
    const whole = verifyingStream(
      plain,
      { digest: digestOf(content), size: content.length },
      { codec, what: 'layer X' },
    );
    expect(await digested(sliceStream(whole, { start, end }, 'layer X'))).toBe(
      digestOf(content.subarray(start, end + 1)),
    );
  });

  test('upstream is cancelled with the last byte, before the next read', async () => {
    const source = sourceOf(content);
    const reader = sliceStream(source.stream, { start: 500, end: 1499 }, 'layer X').getReader();
    await reader.read();
    expect(source.cancelled).toBeUndefined();
    await reader.read();
    expect(source.cancelled).toBeDefined();
    expect((await reader.read()).done).toBe(true);
    expect(source.taken).toBe(2000);
  });

  test('a stream that is too short is an error, not an end', async () => {
    const stream = sliceStream(sourceOf(content).stream, { start: 5, end: compressedLength }, 'layer X');
    await expect(bytesOf(stream)).rejects.toMatchObject({ detail: { fault: 'cut-short' } });
  });

  test('the end of wrong content is not served', async () => {
    const whole = verifyingStream(
      sourceOf(content.with(0, 0)).stream,
      { digest: digestOf(content), size: content.length },
      { codec, what: 'layer X' },
    );
    const tail = sliceStream(whole, { start: compressedLength - 10, end: compressedLength - 1 }, 'layer X');
    const { bytes, error } = await received(tail);
    expect(error).toMatchObject({ detail: { fault: 'mismatch' } });
    expect(bytes).toHaveLength(0);
  });
});

test('a layer is inspected once, and its facts outlive the inspector', async () => {
  const compressed = concatenated(...zstdFrames);
  const memory = testMemory();
  const cache = createMemoryCache(memory);
  const leases = createLayerLeases(2, Date.now);
  const options = {
    registry: 'https://registry.example',
    codec,
    limits: defaultDecompressionLimits,
    cache,
    memory,
    leases,
    clock: Date.now,
    background: () => undefined,
  };
  let opened = 0;
  const open = async () => {
    opened += 1;
    return { stream: sourceOf(compressed).stream, size: compressed.length };
  };
  const inspector = createLayerInspector(options);
  const digest = digestOf(compressed);
  expect(await inspector.cachedFacts(digest)).toBeUndefined();
  const [facts, same] = await Promise.all([
    inspector.facts(digest, layerRequest(open)),
    inspector.facts(digest, layerRequest(open)),
  ]);
  expect(facts).toEqual({
    compression: 'zstd',
    packedSize: compressed.length,
    size: compressedLength,
    diffId: digestOf(content),
  });
  expect(same).toEqual(facts);
  expect(await createLayerInspector(options).facts(digest, layerRequest(open))).toEqual(facts);
  expect(opened).toBe(1);
});

/** The offsets in `compressed` at which valid content ends: after each of the frames above. */
function* frameEnds(compressed: Uint8Array): Generator<number> {
  const frames = [skippable, emptyFrame, ...zstdFrames];
  for (let at = 0; at < compressed.length; ) {
    const next = frames.find((frame) => frame.every((byte, index) => compressed[at + index] === byte));
    if (next === undefined) return;
    at += next.length;
    yield at;
  }
}

/** The digest of a stream, which a failed test can print. */
async function digested(stream: ReadableStream<Uint8Array>): Promise<string> {
  return digestOf(await bytesOf(stream));
}

async function drained(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  for (;;) if ((await reader.read()).done) return;
}
