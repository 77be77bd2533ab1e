import { zstdCompressSync } from 'node:zlib';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { digestOf } from '../../../converters/digest.ts';
import { defaultDecompressionLimits } from '../../../src/layers/decompression-limits.ts';
import { createLayerInspector, createLayerLeases } from '../../../src/layers/inspector.ts';
import type { OpenLayer } from '../../../src/layers/layer-request.ts';
import { createNodeLayerCodec } from '../../../src/runtime/node/layers/codec.ts';
import { sourceOf } from '../../support/byte-streams.ts';
import { layerRequest } from '../../support/layer-request.ts';
import { testMemory } from '../../support/memory.ts';

const silenceMs = 60_000;

function newLearner(limit: number) {
  return createLayerInspector({
    registry: 'https://registry.example',
    codec: createNodeLayerCodec(),
    limits: defaultDecompressionLimits,
    cache: { get: async () => undefined, set: async () => {} },
    leases: createLayerLeases(limit, Date.now, silenceMs),
    clock: Date.now,
    background: () => undefined,
    memory: testMemory(),
    silenceMs,
  });
}

/** A plain tar, so that no thread of zlib outruns a fake clock. */
function plainLayer(seed: number, length = 10_000): Uint8Array {
  return new Uint8Array(length).fill(seed);
}

afterEach(() => {
  vi.useRealTimers();
});

/** @param bytesPerSecond how fast the layer comes. */
function trickling(bytes: Uint8Array, bytesPerSecond: number): { open: OpenLayer; opened: () => number } {
  let opened = 0;
  const open: OpenLayer = async () => {
    opened += 1;
    let at = 0;
    const stream = new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          await new Promise((resolve) => setTimeout(resolve, 1_000));
          if (at >= bytes.length) return controller.close();
          controller.enqueue(bytes.slice(at, at + bytesPerSecond));
          at += bytesPerSecond;
        },
      },
      { highWaterMark: 0 },
    );
    return { stream, size: bytes.length };
  };
  return { open, opened: () => opened };
}

describe('four layers that come at 20 bytes a second', () => {
  it('keep no layer of another repository from being read, and come to their end', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval', 'Date'] });
    const inspector = newLearner(4);
    const slow = [1, 2, 3, 4].map((seed) => {
      const bytes = plainLayer(seed, 2_000);
      const layer = trickling(bytes, 20);
      return {
        layer,
        facts: inspector.facts(digestOf(bytes), layerRequest(layer.open, `mallory/app${seed}`)),
      };
    });
    await vi.advanceTimersByTimeAsync(5_000);
    let done = 0;
    for (const seed of [5, 6, 7, 8]) {
      const bytes = plainLayer(seed);
      const open = async () => ({ stream: sourceOf(bytes).stream, size: bytes.length });
      void inspector.facts(digestOf(bytes), layerRequest(open, `bob/app${seed}`)).then(() => {
        done += 1;
      });
    }
    await vi.advanceTimersByTimeAsync(10_000);
    expect(done).toBe(4);
    // Each loses its turn while another waits, and starts over: none is given up.
    await vi.advanceTimersByTimeAsync(600_000);
    for (const { facts } of slow) expect(await facts).toMatchObject({ size: 2_000 });
    for (const { layer } of slow) expect(layer.opened()).toBeLessThanOrEqual(2);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('layers of many repositories that one address asks for', () => {
  it('keep no other address from a turn, though they come fast enough', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval', 'Date'] });
    const inspector = newLearner(4);
    const all = Array.from({ length: 12 }, (_, at) => {
      const bytes = plainLayer(at + 1, 3_000_000);
      const { open } = trickling(bytes, 150_000);
      return inspector.facts(digestOf(bytes), layerRequest(open, `mallory/app${at}`, 'none', '192.0.2.66'));
    });
    await vi.advanceTimersByTimeAsync(4_000);
    let done = 0;
    const others = [20, 21, 22].map((seed) => {
      const bytes = plainLayer(seed);
      const open = async () => ({ stream: sourceOf(bytes).stream, size: bytes.length });
      const address = `192.0.2.${seed}`;
      return inspector
        .facts(digestOf(bytes), layerRequest(open, `bob/app${seed}`, 'none', address))
        .then(() => {
          done += 1;
        });
    });
    await vi.advanceTimersByTimeAsync(12_000);
    expect(done).toBe(3);
    await Promise.all(others);
    await vi.advanceTimersByTimeAsync(900_000);
    for (const facts of all) expect(await facts).toMatchObject({ size: 3_000_000 });
  });
});

describe('layers that unpack to a thousand times their size', () => {
  it('are read behind all others, and are read', async () => {
    const inspector = newLearner(2);
    const ended: string[] = [];
    const ask = (name: string, compressed: Uint8Array, repository: string) => {
      const open = async () => ({ stream: sourceOf(compressed).stream, size: compressed.length });
      return inspector.facts(digestOf(compressed), layerRequest(open, repository)).then(({ size }) => {
        ended.push(name);
        return size;
      });
    };
    const length = 32 * 2 ** 20;
    const bombs = Array.from({ length: 6 }, (_, index) => {
      const zeros = new Uint8Array(length);
      zeros[0] = index;
      return ask('bomb', new Uint8Array(zstdCompressSync(zeros)), 'mallory/app');
    });
    const others = [1, 2, 3].map((seed) => ask('other', plainLayer(seed, 200_000), `bob/app${seed}`));
    expect(await Promise.all(bombs)).toEqual(bombs.map(() => length));
    await Promise.all(others);
    expect(ended.slice(0, 3)).toEqual(['other', 'other', 'other']);
  });
});
