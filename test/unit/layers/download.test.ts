import { Readable } from 'node:stream';
import { constants, createZstdCompress, gzipSync } from 'node:zlib';
import { describe, expect, test, vi } from 'vitest';
import { digestOf } from '../../../converters/digest.ts';
import type { LayerCodec } from '../../../src/layers/codec.ts';
import { defaultDecompressionLimits } from '../../../src/layers/decompression-limits.ts';
import { createLayerDownloads, type OpenCompressed } from '../../../src/layers/downloads.ts';
import { createTails } from '../../../src/layers/tails.ts';
import { createNodeLayerCodec } from '../../../src/runtime/node/layers/codec.ts';
import { bytesOf, concatenated, received, sourceOf, type TestSource } from '../../support/byte-streams.ts';
import { layerContent } from '../../support/layer-content.ts';
import { testMemory } from '../../support/memory.ts';
import { settled } from '../../support/settled.ts';

const MiB = 2 ** 20;
const content = layerContent(4 * MiB);

async function frame(bytes: Uint8Array, windowLog: number): Promise<Uint8Array> {
  const params = { [constants.ZSTD_c_windowLog]: windowLog };
  return Buffer.concat(await Readable.from([bytes]).pipe(createZstdCompress({ params })).toArray());
}

const large = await frame(content, 27);
const frames = await Promise.all(
  [0, 1, 2, 3].map((index) => frame(content.subarray(index * MiB, (index + 1) * MiB), 27)),
);
const chunked = concatenated(...frames);
const [alice, bob] = [
  { address: '192.0.2.7', login: 'alice' },
  { address: '192.0.2.8', login: 'bob' },
];

interface Part {
  readonly from: number;
  readonly source: TestSource;
}

/** A registry with one layer. @param parts whether it answers Range. */
function registryWith(compressed: Uint8Array, parts = true) {
  const opened: Part[] = [];
  let bytes = compressed;
  const openCompressed: OpenCompressed = async (asked) => {
    const from = parts ? asked : 0;
    const source = sourceOf(bytes.subarray(from), { piece: 16_384 });
    opened.push({ from: asked, source });
    return { stream: source.stream, from };
  };
  return {
    opened,
    openPacked: openCompressed,
    change: (other: Uint8Array) => {
      bytes = other;
    },
  };
}

/** Counts the decompressed bytes, whoever gets them. */
function counting(codec: LayerCodec): { readonly codec: LayerCodec; readonly decompressed: () => number } {
  let decompressed = 0;
  async function* count(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces) {
      decompressed += piece.length;
      yield piece;
    }
  }
  const decompress: LayerCodec['zstd']['decompress'] = (take) => {
    const decoder = codec.zstd.decompress(take);
    return { ...decoder, push: (piece) => count(decoder.push(piece)) };
  };
  return { codec: { ...codec, zstd: { ...codec.zstd, decompress } }, decompressed: () => decompressed };
}

/** With memory for one large window, unless said otherwise. */
function downloadsWith(
  compressed: Uint8Array,
  {
    parts = true,
    windows = 1,
    patienceMs = 30_000,
    registry: id = 'https://registry.example',
    tails = createTails(testMemory()),
  } = {},
) {
  let now = 0;
  const { codec, decompressed } = counting(
    // A quarter is kept for small windows, where there is room for a large one beside it.
    createNodeLayerCodec({ windowBudget: (windows === 1 ? 128 : (windows * 128 * 4) / 3) * MiB, patienceMs }),
  );
  const downloads = createLayerDownloads({
    registry: id,
    codec,
    limits: defaultDecompressionLimits,
    tails,
    clock: () => now,
  });
  const registry = registryWith(compressed, parts);
  const layer = { compressed: digestOf(compressed), digest: digestOf(content), size: content.length };
  const open = (
    requester = alice,
    start?: number,
    signal?: AbortSignal,
    openCompressed = registry.openPacked,
  ) => {
    const span = start === undefined ? undefined : { start, end: content.length - 1 };
    return downloads.open({ layer, span, requester, openCompressed, signal });
  };
  /** Takes all memory, and so shows that no window is lent. */
  const allIsFree = async () => {
    const request = { bytes: windows * 128 * MiB, owner: ['', ''] };
    (await codec.zstd.limits?.downloads.take(request, AbortSignal.timeout(5_000)))?.();
  };
  return {
    ...registry,
    decompressed,
    open,
    allIsFree,
    pass: (milliseconds: number) => {
      now += milliseconds;
    },
  };
}

/** Reads some bytes, as a client that then takes no more. */
async function begin(stream: ReadableStream<Uint8Array>, least: number) {
  const reader = stream.getReader();
  const pieces: Uint8Array[] = [];
  const more = async (bytes: number) => {
    for (let length = 0; length < bytes; ) {
      const { value } = await reader.read();
      if (value === undefined) throw new Error('The stream ended.');
      pieces.push(value);
      length += value.length;
    }
  };
  const rest = async () => {
    for (let read = await reader.read(); !read.done; read = await reader.read()) pieces.push(read.value);
    return concatenated(...pieces);
  };
  await more(least);
  return { more, rest, cancel: () => reader.cancel('gone') };
}

const right = digestOf(content);

describe('a slow client', () => {
  test('lends its window to others, and still gets every byte', async () => {
    const { open, pass, opened, allIsFree } = downloadsWith(large);
    const slow = await begin(await open(), MiB);
    pass(20_000);
    const other = await bytesOf(await open(bob));
    expect(digestOf(other)).toBe(right);
    expect(opened[0]?.source.cancelled).toBeDefined();
    expect(digestOf(await slow.rest())).toBe(right);
    expect(opened.map(({ from }) => from)).toEqual([0, 0, 0]);
    await allIsFree();
  });

  test('keeps its window while no one waits', async () => {
    const { open, pass, opened } = downloadsWith(large);
    const slow = await begin(await open(), MiB);
    pass(600_000);
    await settled();
    expect(opened[0]?.source.cancelled).toBeUndefined();
    expect(digestOf(await slow.rest())).toBe(right);
    expect(opened).toHaveLength(1);
  });

  test('goes on at the last frame that began before its place', async () => {
    const { open, pass, opened, decompressed } = downloadsWith(chunked);
    const slow = await begin(await open(), 2.5 * MiB);
    pass(60_000);
    await bytesOf(await open(bob));
    const before = decompressed();
    expect(digestOf(await slow.rest())).toBe(right);
    const [first = new Uint8Array(), second = new Uint8Array()] = frames;
    expect(opened.map(({ from }) => from)).toEqual([0, 0, first.length + second.length]);
    expect(decompressed() - before).toBeLessThanOrEqual(2 * MiB);
  });

  test('never goes on behind its place, though the decoder has gone ahead by some frames', async () => {
    const each = 200_000;
    const starts = Array.from({ length: Math.ceil(content.length / each) }, (_, index) => index * each);
    const small = await Promise.all(starts.map((start) => frame(content.subarray(start, start + each), 27)));
    const { open, pass, decompressed } = downloadsWith(concatenated(...small));
    const slow = await begin(await open(), 1);
    for (let pieces = 0; pieces < 12; pieces += 1) {
      await settled();
      await slow.more(1);
    }
    pass(60_000);
    await bytesOf(await open(bob));
    const before = decompressed();
    expect(digestOf(await slow.rest())).toBe(right);
    expect(decompressed() - before).toBeLessThan(content.length - 3 * each);
  });

  test('goes on from the first byte where the registry sends no parts', async () => {
    const { open, pass, opened } = downloadsWith(chunked, { parts: false });
    const slow = await begin(await open(), 2.5 * MiB);
    pass(60_000);
    await bytesOf(await open(bob));
    expect(digestOf(await slow.rest())).toBe(right);
    expect(opened.at(-1)?.from).toBeGreaterThan(0);
  });

  test('lends its window again and again, each time later', async () => {
    const { open, pass, opened, allIsFree } = downloadsWith(large);
    const slow = await begin(await open(), 1);
    /** @param waits real milliseconds that the other client waits for the window. */
    const isLentAfter = async (milliseconds: number, waits: number) => {
      const leaving = new AbortController();
      pass(milliseconds);
      const other = open(bob, undefined, leaving.signal);
      await Promise.race([other, new Promise((resolve) => setTimeout(resolve, waits))]);
      leaving.abort(new Error('gone'));
      const stream = await other.catch(() => undefined);
      await stream?.cancel();
      return stream !== undefined;
    };
    // Four times the time is the most.
    for (const grace of [5_000, 10_000, 20_000, 20_000]) {
      const before = opened.length;
      expect(await isLentAfter(grace - 1_000, 50)).toBe(false);
      expect(await isLentAfter(1_000, 10_000)).toBe(true);
      expect(opened).toHaveLength(before + 2);
      await slow.more(1);
      expect(opened).toHaveLength(before + 3);
    }
    expect(digestOf(await slow.rest())).toBe(right);
    await allIsFree();
  });

  test('gets no end of a layer that is another one when it goes on', async () => {
    const { open, pass, change } = downloadsWith(large);
    const slow = await begin(await open(), MiB);
    pass(20_000);
    await bytesOf(await open(bob));
    // The same length, and another byte behind the place of the client.
    change(await frame(content.with(3 * MiB, 0), 27));
    await expect(slow.rest()).rejects.toMatchObject({ detail: { fault: 'mismatch' } });
  });

  test('that leaves while it waits to go on leaves the line', async () => {
    const { open, pass, opened, allIsFree } = downloadsWith(large);
    const slow = await begin(await open(), MiB);
    pass(20_000);
    const other = await begin(await open(bob), MiB);
    const rest = slow.rest();
    await settled();
    await slow.cancel();
    await rest;
    await other.cancel();
    await allIsFree();
    // No connection to upstream stands idle while its download waits in line.
    expect(opened).toHaveLength(2);
  });
});

test('a client that is fast keeps its window while its owner has no other', async () => {
  const { open, opened } = downloadsWith(large);
  const fast = await begin(await open(), MiB);
  const waiting = open(bob);
  await settled();
  expect(opened[0]?.source.cancelled).toBeUndefined();
  await fast.rest();
  expect(digestOf(await bytesOf(await waiting))).toBe(right);
});

test('an owner with all the memory gives back what is beyond its share after a while, though it is fast', async () => {
  const { open, pass, opened, allIsFree } = downloadsWith(large, { windows: 2 });
  const [first, second] = [await begin(await open(), MiB), await begin(await open(), MiB)];
  const waiting = open(bob);
  await settled();
  expect(opened[1]?.source.cancelled).toBeUndefined();
  pass(20_000);
  expect(digestOf(await bytesOf(await waiting))).toBe(right);
  expect(opened[1]?.source.cancelled).toBeDefined();
  for (const each of [first, second]) expect(digestOf(await each.rest())).toBe(right);
  await allIsFree();
});

describe('before an answer begins', () => {
  test('a request that waits too long for memory is refused, and told when to come back', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
    const { open, opened, allIsFree } = downloadsWith(large);
    const holder = await begin(await open(), MiB);
    const refused = expect(open(bob)).rejects.toMatchObject({
      code: 'OVERLOADED',
      message: expect.stringMatching(
        /^Cannot decompress layer sha256:\w+ now: .* Try again in 10 seconds\.$/,
      ),
      headers: { 'Retry-After': '10' },
    });
    await vi.waitFor(() => expect(vi.getTimerCount()).toBe(2));
    await vi.advanceTimersByTimeAsync(30_000);
    await refused;
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
    expect(opened[1]?.source.cancelled).toBeDefined();
    expect(digestOf(await holder.rest())).toBe(right);
    await allIsFree();
  });

  test('a client that leaves while it waits leaves the line, and takes upstream with it', async () => {
    const { open, opened, allIsFree } = downloadsWith(large);
    const holder = await begin(await open(), MiB);
    const leaving = new AbortController();
    const waiting = open(bob, undefined, leaving.signal);
    await settled();
    leaving.abort(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');
    expect(opened[1]?.source.cancelled).toBeDefined();
    await holder.cancel();
    await allIsFree();
  });

  test('broken content is an error, and not an answer that ends too early', async () => {
    const broken = new Uint8Array(1000).fill(0xff);
    const { open, allIsFree } = downloadsWith(concatenated(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd), broken));
    await expect(open()).rejects.toMatchObject({ code: 'UPSTREAM_CONTENT' });
    await allIsFree();
  });

  test.each([
    ['gzip', new Uint8Array(gzipSync(content))],
    ['a plain tar', content],
  ])('a layer whose first bytes are %s is read as that, as when it was measured', async (_, stored) => {
    for (const parts of [true, false]) {
      const { open, allIsFree } = downloadsWith(stored, { parts });
      expect(await bytesOf(await open())).toEqual(content);
      await allIsFree();
    }
  });
});

describe('requests for the last byte', () => {
  const last = content.length - 1;

  test('decompress the layer once, at the same time and later', async () => {
    const { open, decompressed, opened } = downloadsWith(large);
    const asked = await Promise.all(Array.from({ length: 40 }, () => open(alice, last)));
    asked.push(await open(bob, last));
    for (const stream of asked) expect(await bytesOf(stream)).toEqual(content.subarray(last));
    expect(opened).toHaveLength(1);
    expect(decompressed()).toBe(content.length);
  });

  test('get no bytes of another registry, and share those of the same one', async () => {
    const tails = createTails(testMemory());
    const first = downloadsWith(large, { tails });
    expect(await bytesOf(await first.open(alice, last))).toEqual(content.subarray(last));
    const other = downloadsWith(large, { tails, registry: 'https://other.example' });
    const nothing = () => Promise.reject(new Error('not here'));
    await expect(other.open(alice, last, undefined, nothing)).rejects.toThrow('not here');
    const same = downloadsWith(large, { tails });
    expect(await bytesOf(await same.open(alice, last, undefined, nothing))).toEqual(content.subarray(last));
  });

  test('are refused each for itself', async () => {
    const { open, openPacked: openCompressed, opened } = downloadsWith(large);
    const refused = open(alice, last, undefined, async () => {
      await settled();
      throw new Error('not yours');
    });
    const others = [1, 2].map(() => open(bob, last, undefined, openCompressed));
    await expect(refused).rejects.toThrow('not yours');
    for (const other of others) expect(await bytesOf(await other)).toEqual(content.subarray(last));
    expect(opened.length).toBeGreaterThan(0);
  });

  test('of wrong content teach nothing', async () => {
    const { open, change } = downloadsWith(large);
    change(await frame(content.with(0, 0), 27));
    await expect(open(alice, last)).rejects.toMatchObject({ detail: { fault: 'mismatch' } });
    change(large);
    expect(await bytesOf(await open(alice, last))).toEqual(content.subarray(last));
  });

  test('that differ wait for one another fairly: another caller is behind two of them at most', async () => {
    const small = await frame(content, 20);
    const { open, decompressed } = downloadsWith(small, { windows: 2 });
    const many = Array.from({ length: 12 }, (_, index) => open(alice, last - index));
    await settled();
    const before = decompressed();
    await bytesOf(await open(bob, last - 100));
    // Each of two places is the other caller's every second time.
    expect(decompressed() - before).toBeLessThan(6 * content.length);
    await Promise.all(many);
  });

  test('do not wait for those whose registry has fallen silent', async () => {
    const small = await frame(content, 20);
    const { open } = downloadsWith(small, { windows: 2 });
    const silent: OpenCompressed = async (from) => ({
      stream: sourceOf(small.subarray(from, small.length / 2), { after: 'silence' }).stream,
      from,
    });
    const readers = [1, 2].map(async (start) => {
      const reader = (await open(alice, content.length / 2 + start * 100_000, undefined, silent)).getReader();
      void reader.read();
      return reader;
    });
    const stuck = await Promise.all(readers);
    await settled();
    expect(await bytesOf(await open(bob, last))).toEqual(content.subarray(last));
    for (const reader of stuck) await reader.cancel();
  });

  test('hold no place while they wait for memory, or each would wait for the other', async () => {
    const small = await frame(content, 20);
    const { open } = downloadsWith(small);
    const [others, own] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const first = open(bob, last, undefined, inTwo(small, own.promise)).then(bytesOf);
    const growing = concatenated(
      await frame(content.subarray(0, MiB), 20),
      await frame(content.subarray(MiB), 27),
    );
    const more = [1, 2].map((before) =>
      open(alice, last - before, undefined, inTwo(growing, others.promise)).then(bytesOf),
    );
    await settled();
    // Each needs a place, and then all the memory.
    others.resolve();
    await settled();
    own.resolve();
    expect(await first).toEqual(content.subarray(last));
    for (const [index, bytes] of (await Promise.all(more)).entries())
      expect(bytes).toEqual(content.subarray(last - 1 - index));
  });

  test('and for larger parts are sent while they are decompressed', async () => {
    const { open } = downloadsWith(large);
    const { bytes, error } = await received(await open(alice, 100_000));
    expect(error).toBeUndefined();
    expect(digestOf(bytes)).toBe(digestOf(content.subarray(100_000)));
  });
});

/** Sends the first 10,000 bytes, and the rest when it is let. */
function inTwo(compressed: Uint8Array, rest: Promise<void>): OpenCompressed {
  async function* parts(from: number) {
    yield compressed.subarray(from, 10_000);
    await rest;
    yield compressed.subarray(10_000);
  }
  return async (from) => ({ stream: ReadableStream.from(parts(from)), from });
}
