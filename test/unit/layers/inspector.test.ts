import { setTimeout as sleep } from 'node:timers/promises';
import { zstdCompressSync } from 'node:zlib';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Digest, digestOf } from '../../../converters/digest.ts';
import type { Cache, CacheEntry } from '../../../src/cache/cache.ts';
import { withDeadline } from '../../../src/concurrency/deadline.ts';
import { RegistryError } from '../../../src/errors.ts';
import { defaultDecompressionLimits } from '../../../src/layers/decompression-limits.ts';
import {
  createLayerInspector,
  createLayerLeases,
  type LayerInspectorOptions,
} from '../../../src/layers/inspector.ts';
import type { OpenLayer } from '../../../src/layers/layer-request.ts';
import { createNodeLayerCodec } from '../../../src/runtime/node/layers/codec.ts';
import { sourceOf, type TestSource } from '../../support/byte-streams.ts';
import { layerContent } from '../../support/layer-content.ts';
import { layerRequest } from '../../support/layer-request.ts';
import { testMemory } from '../../support/memory.ts';
import { settled } from '../../support/settled.ts';

const content = layerContent(100_000);
const compressed = new Uint8Array(zstdCompressSync(content));
const digest = digestOf(compressed);
const facts = {
  compression: 'zstd',
  packedSize: compressed.length,
  size: content.length,
  diffId: digestOf(content),
};

afterEach(() => {
  vi.useRealTimers();
});

function mapCache(): Cache & { readonly entries: Map<string, CacheEntry> } {
  const entries = new Map<string, CacheEntry>();
  return {
    entries,
    get: async (key) => entries.get(key),
    set: async (key, entry) => void entries.set(key, entry),
  };
}

function learnerWith({
  concurrency = 4,
  ...options
}: Partial<LayerInspectorOptions> & { concurrency?: number } = {}) {
  const clock = options.clock ?? Date.now;
  return createLayerInspector({
    registry: 'https://registry.example',
    codec: createNodeLayerCodec(),
    limits: defaultDecompressionLimits,
    cache: mapCache(),
    leases: createLayerLeases(concurrency, clock, options.silenceMs),
    clock,
    background: () => undefined,
    memory: testMemory(),
    ...options,
  });
}

/** A layer that is sent only when it is let go. */
function heldLayer(bytes = compressed): { open: OpenLayer; letGo: () => void; opened: () => number } {
  const { promise, resolve } = Promise.withResolvers<void>();
  let opened = 0;
  const open: OpenLayer = async () => {
    opened += 1;
    await promise;
    return { stream: sourceOf(bytes).stream, size: bytes.length };
  };
  return { open, letGo: resolve, opened: () => opened };
}

/** A layer of which nothing comes after its first bytes. */
function silentLayer(): { readonly source: TestSource; readonly open: OpenLayer } {
  const source = sourceOf(compressed.subarray(0, 1000), { after: 'silence' });
  return { source, open: async () => ({ stream: source.stream, size: compressed.length }) };
}

describe('a layer is read once', () => {
  test('for all who wait, and no more after that', async () => {
    const inspector = learnerWith();
    const { open, letGo, opened } = heldLayer();
    const waiting = [1, 2, 3].map(() => inspector.facts(digest, layerRequest(open)));
    letGo();
    expect(await Promise.all(waiting)).toEqual([facts, facts, facts]);
    expect(await inspector.facts(digest, layerRequest(open))).toEqual(facts);
    expect(await inspector.cachedFacts(digest)).toEqual(facts);
    expect(opened()).toBe(1);
  });

  test('what is remembered names no repository and no credential', async () => {
    const cache = mapCache();
    const { open, letGo } = heldLayer();
    letGo();
    await learnerWith({ cache }).facts(digest, layerRequest(open));
    expect([...cache.entries]).toEqual([
      [`layer-facts https://registry.example ${digest}`, { facts, body: new Uint8Array() }],
    ]);
  });

  test('an entry of another shape is not believed', async () => {
    const cache = mapCache();
    for (const wrong of [
      {},
      { ...facts, compression: 'xz' },
      { ...facts, size: '1' },
      { ...facts, diffId: 'x' },
    ]) {
      cache.entries.set(`layer-facts https://registry.example ${digest}`, {
        facts: wrong,
        body: new Uint8Array(),
      });
      expect(await learnerWith({ cache }).cachedFacts(digest)).toBeUndefined();
    }
  });

  test('a cache that fails to keep it does not lose it for those who wait', async () => {
    const cache = { ...mapCache(), set: () => Promise.reject(new Error('cache is down')) };
    const { open, letGo, opened } = heldLayer();
    letGo();
    const inspector = learnerWith({ cache });
    expect(await inspector.facts(digest, layerRequest(open))).toEqual(facts);
    expect(await inspector.facts(digest, layerRequest(open))).toEqual(facts);
    expect(opened()).toBe(1);
  });
});

test('who asks a slow cache while the reading ends does not start another', async () => {
  const asked = Promise.withResolvers<void>();
  let asking = 0;
  const cache = {
    ...mapCache(),
    get: async () => {
      asking += 1;
      if (asking === 2) await asked.promise;
      return undefined;
    },
  };
  const inspector = learnerWith({ cache });
  const { open, letGo, opened } = heldLayer();
  letGo();
  const first = inspector.facts(digest, layerRequest(open));
  const second = inspector.facts(digest, layerRequest(open));
  await first;
  await settled();
  asked.resolve();
  expect(await second).toEqual(facts);
  expect(opened()).toBe(1);
});

describe('a reading and those who wait for it', () => {
  test('ends when the last of them breaks off, in the line and while it is read', async () => {
    const inspector = learnerWith({ concurrency: 1 });
    const running = silentLayer();
    const leaving = [new AbortController(), new AbortController(), new AbortController()];
    const ask = (at: number, of: Digest, open: OpenLayer) => {
      const waiting = inspector.facts(of, layerRequest(open), { signal: leaving[at]?.signal });
      return expect(waiting).rejects.toThrow('left');
    };
    const inLine = heldLayer();
    const asked = [
      ask(0, digest, running.open),
      ask(1, digest, running.open),
      ask(2, digestOf(content), inLine.open),
    ];
    await settled();
    leaving[2]?.abort(new Error('left'));
    leaving[0]?.abort(new Error('left'));
    await settled();
    expect(running.source.cancelled).toBeUndefined();
    expect(inspector.progress(digestOf(content))).toBeUndefined();
    leaving[1]?.abort(new Error('left'));
    await Promise.all(asked);
    await vi.waitFor(() => expect(inspector.progress(digest)).toBeUndefined());
    expect(running.source.cancelled).toBeDefined();
    expect(inLine.opened()).toBe(0);
  });

  test('goes on where a client was told to come back, for the time that it was told', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval', 'Date'] });
    const inspector = learnerWith();
    const { open, source } = silentLayer();
    const left = withDeadline(1_000, undefined, (signal) =>
      inspector.facts(digest, layerRequest(open), { signal }),
    );
    const gone = expect(left).rejects.toThrow();
    await vi.advanceTimersByTimeAsync(1_000);
    inspector.keepFor(digest, 20_000);
    await gone;
    await vi.advanceTimersByTimeAsync(19_000);
    expect(source.cancelled).toBeUndefined();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(source.cancelled).toBeDefined();
    expect(inspector.progress(digest)).toBeUndefined();
  });

  test('goes on where it is nearly done', async () => {
    const inspector = learnerWith();
    const most = compressed.length - 10;
    const { promise: rest, resolve } = Promise.withResolvers<Uint8Array>();
    const pieces = [compressed.subarray(0, most)];
    const stream = new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          const next = pieces.shift();
          controller.enqueue(next ?? (await rest));
          if (next === undefined) controller.close();
        },
      },
      { highWaterMark: 0 },
    );
    const leaving = new AbortController();
    const open = async () => ({ stream, size: compressed.length });
    const waiting = inspector.facts(digest, layerRequest(open), { signal: leaving.signal });
    await settled();
    leaving.abort(new Error('left'));
    await expect(waiting).rejects.toThrow('left');
    resolve(compressed.subarray(most));
    await vi.waitFor(async () => expect(await inspector.cachedFacts(digest)).toEqual(facts));
  });

  test('who has left already starts none', async () => {
    const { open, opened } = heldLayer();
    await expect(
      learnerWith().facts(digest, layerRequest(open), { signal: AbortSignal.abort(new Error('gone')) }),
    ).rejects.toThrow('gone');
    expect(opened()).toBe(0);
  });

  test('a failure is shared, and then forgotten', async () => {
    const inspector = learnerWith();
    let opened = 0;
    const failing = async () => {
      opened += 1;
      await settled();
      throw new RegistryError('UPSTREAM_UNREACHABLE', 'no route');
    };
    const waiting = [
      inspector.facts(digest, layerRequest(failing)),
      inspector.facts(digest, layerRequest(failing)),
    ];
    for (const each of waiting) await expect(each).rejects.toThrow('no route');
    expect(opened).toBe(1);
    expect(inspector.progress(digest)).toBeUndefined();
    const { open, letGo } = heldLayer();
    letGo();
    expect(await inspector.facts(digest, layerRequest(open))).toEqual(facts);
  });

  test('wrong content is learned by no one', async () => {
    const cache = mapCache();
    const { open, letGo } = heldLayer(new Uint8Array(zstdCompressSync(content.subarray(1))));
    letGo();
    await expect(learnerWith({ cache }).facts(digest, layerRequest(open))).rejects.toMatchObject({
      code: 'UPSTREAM_CONTENT',
    });
    expect(cache.entries.size).toBe(0);
  });

  test('a failure that no one waits for is no unhandled rejection', async () => {
    const inspector = learnerWith();
    const impatient = new AbortController();
    const failing = async () => {
      await settled();
      throw new RegistryError('UPSTREAM_UNREACHABLE', 'no route');
    };
    const waiting = inspector.facts(digest, layerRequest(failing), { signal: impatient.signal });
    impatient.abort(new Error('deadline'));
    await expect(waiting).rejects.toThrow('deadline');
    await vi.waitFor(() => expect(inspector.progress(digest)).toBeUndefined());
  });
});

describe('how far it is', () => {
  test('bytes read, of how many, and since when', async () => {
    let now = 5000;
    const inspector = learnerWith({ clock: () => now });
    const source = sourceOf(compressed.subarray(0, 1000), { after: 'silence' });
    expect(inspector.progress(digest)).toBeUndefined();
    const abort = new AbortController();
    const open = async () => ({ stream: source.stream, size: compressed.length });
    const waiting = inspector.facts(digest, layerRequest(open), { signal: abort.signal });
    await settled();
    now = 9000;
    expect(inspector.progress(digest)).toEqual({
      read: 1000,
      total: compressed.length,
      waitMs: 0,
      speed: 0.25,
    });
    abort.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });

  test('one that waits for its turn has not started', async () => {
    const inspector = learnerWith({ concurrency: 1 });
    const held = heldLayer();
    const first = inspector.facts(digest, layerRequest(held.open));
    const other = new Uint8Array(zstdCompressSync(content.subarray(9)));
    const next = heldLayer(other);
    next.letGo();
    const second = inspector.facts(digestOf(other), layerRequest(next.open));
    await settled();
    expect(next.opened()).toBe(0);
    expect(inspector.progress(digestOf(other))).toEqual({
      read: 0,
      total: undefined,
      waitMs: 30_000,
      speed: 0,
    });
    held.letGo();
    await Promise.all([first, second]);
    expect(inspector.progress(digestOf(other))).toBeUndefined();
  });

  test('no more than the limit are read at once', async () => {
    const inspector = learnerWith({ concurrency: 3 });
    let [running, most] = [0, 0];
    const readings = Array.from({ length: 12 }, (_, index) => {
      const bytes = new Uint8Array(zstdCompressSync(content.subarray(index)));
      return inspector.facts(
        digestOf(bytes),
        layerRequest(async () => {
          most = Math.max(most, ++running);
          await settled();
          running -= 1;
          return { stream: sourceOf(bytes).stream };
        }),
      );
    });
    await Promise.all(readings);
    expect(most).toBe(3);
  });
});

describe('upstream falls silent', () => {
  const silent = (): { source: TestSource; open: OpenLayer } => {
    const source = sourceOf(compressed.subarray(0, 1000), { after: 'silence' });
    return { source, open: async () => ({ stream: source.stream }) };
  };

  test('the reading is given up, and its place with it', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval', 'Date'] });
    const inspector = learnerWith({ concurrency: 1, silenceMs: 4000 });
    const { source, open } = silent();
    const waiting = inspector.facts(digest, layerRequest(open));
    const failed = expect(waiting).rejects.toMatchObject({
      code: 'UPSTREAM_TIMEOUT',
      message: expect.stringContaining('stood still for 4 s after 1000 bytes'),
    });
    await vi.advanceTimersByTimeAsync(6000);
    await failed;
    expect(source.cancelled).toBeDefined();
    vi.useRealTimers();
    const { open: openAgain, letGo } = heldLayer();
    letGo();
    expect(await inspector.facts(digest, layerRequest(openAgain))).toEqual(facts);
  });

  test('slow is not silent, and no timer stays behind', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval', 'Date'] });
    const inspector = learnerWith({ silenceMs: 4000 });
    const steps = [compressed.subarray(0, 500), compressed.subarray(500, 1000), compressed.subarray(1000)];
    const stream = new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          await new Promise((resolve) => setTimeout(resolve, 3000));
          const next = steps.shift();
          if (next === undefined) controller.close();
          else controller.enqueue(next);
        },
      },
      { highWaterMark: 0 },
    );
    const learned = inspector.facts(
      digest,
      layerRequest(async () => ({ stream })),
    );
    let settled = false;
    void learned.finally(() => {
      settled = true;
    });
    for (let second = 0; second < 60 && !settled; second += 1) {
      await vi.advanceTimersByTimeAsync(1000);
      // zlib works in its own thread in real time, which a fake clock must not outrun.
      await sleep(100);
    }
    expect(await learned).toEqual(facts);
    await vi.waitFor(() => expect(vi.getTimerCount()).toBe(0));
  });

  test('a layer that comes byte by byte is given up too, and its place with it', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval', 'Date'] });
    const inspector = learnerWith({ concurrency: 1, silenceMs: 4000 });
    let at = 0;
    const stream = new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          await new Promise((resolve) => setTimeout(resolve, 1000));
          controller.enqueue(compressed.slice(at, ++at));
        },
      },
      { highWaterMark: 0 },
    );
    const failed = expect(
      inspector.facts(
        digest,
        layerRequest(async () => ({ stream })),
      ),
    ).rejects.toMatchObject({
      code: 'UPSTREAM_TIMEOUT',
      message: expect.stringMatching(/no more than [3-5] bytes came in [4-5] s/),
    });
    await vi.advanceTimersByTimeAsync(12_000);
    await failed;
    vi.useRealTimers();
    const { open, letGo } = heldLayer();
    letGo();
    expect(await inspector.facts(digest, layerRequest(open))).toEqual(facts);
  });

  test('a reading that was stopped from outside, as on a Worker, keeps no one from another try', async () => {
    let now = 0;
    // No timer tells of it: only the clock does.
    const inspector = learnerWith({ concurrency: 1, silenceMs: 1_000_000, clock: () => now });
    const dead = inspector.facts(digest as Digest, layerRequest(silent().open));
    void dead.catch(() => undefined);
    await settled();
    now = 2_000_000;
    const { open, letGo } = heldLayer();
    letGo();
    expect(await inspector.facts(digest, layerRequest(open))).toEqual(facts);
  });
});
