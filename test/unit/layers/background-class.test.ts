import { zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { digestOf } from '../../../converters/digest.ts';
import { createMemoryCache } from '../../../src/cache/cache.ts';
import { backgroundQueueMs } from '../../../src/layers/background-read.ts';
import { defaultDecompressionLimits } from '../../../src/layers/decompression-limits.ts';
import { createLayerInspector, createLayerLeases } from '../../../src/layers/inspector.ts';
import { createNodeLayerCodec } from '../../../src/runtime/node/layers/codec.ts';
import { sourceOf } from '../../support/byte-streams.ts';
import { layerContent } from '../../support/layer-content.ts';
import { layerRequest } from '../../support/layer-request.ts';
import { testMemory } from '../../support/memory.ts';

const compressed = new Uint8Array(zstdCompressSync(layerContent(100_000)));
const digest = digestOf(compressed);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

function inspectorWithOneLease() {
  const memory = testMemory();
  return createLayerInspector({
    registry: 'https://registry.example',
    codec: createNodeLayerCodec(),
    limits: defaultDecompressionLimits,
    cache: createMemoryCache(memory),
    leases: createLayerLeases(1, Date.now),
    clock: Date.now,
    background: () => undefined,
    memory,
  });
}

/** A layer of which nothing arrives after the first bytes. */
function silentLayer() {
  const source = sourceOf(compressed.subarray(0, 1000), { after: 'silence' });
  let opened = 0;
  const open = async () => {
    opened += 1;
    return { stream: source.stream };
  };
  return { source, open, opened: () => opened };
}

describe('a read that no client waits for', () => {
  test('leaves the queue after 30 s, and its login with it', async () => {
    const inspector = inspectorWithOneLease();
    const busy = inspector.facts(digestOf(new Uint8Array(1)), layerRequest(silentLayer().open));
    void busy.catch(() => undefined);
    await vi.advanceTimersByTimeAsync(10);
    const queued = silentLayer();
    const failed = expect(
      inspector.facts(digest, layerRequest(queued.open), { leaseClass: 'background' }),
    ).rejects.toThrow('no turn in 30 s');
    await vi.advanceTimersByTimeAsync(backgroundQueueMs);
    await failed;
    expect(queued.opened()).toBe(0);
  });

  test("is not joined by a client's request, which reads with its own access", async () => {
    const inspector = inspectorWithOneLease();
    const own = silentLayer();
    const left = new AbortController();
    const options = { leaseClass: 'background', signal: left.signal } as const;
    const reading = inspector.facts(digest, layerRequest(own.open), options);
    const ended = expect(reading).rejects.toThrow();
    await vi.advanceTimersByTimeAsync(10);
    expect(own.opened()).toBe(1);
    // The client has left before its turn.
    const client = new AbortController();
    const other = silentLayer();
    const access = layerRequest(other.open, 'team/app', 'other');
    const asked = inspector.facts(digest, access, { signal: client.signal });
    const gone = expect(asked).rejects.toThrow();
    await vi.advanceTimersByTimeAsync(10);
    inspector.keepFor(digest, 1_000_000);
    left.abort(new Error('the work is over'));
    await ended;
    expect(own.source.cancelled).toBeDefined();
    client.abort(new Error('left'));
    await gone;
  });

  test('only for the store gives way to a client at once, although the facts are known', async () => {
    const inspector = inspectorWithOneLease();
    const whole = async () => ({ stream: sourceOf(compressed).stream });
    await inspector.facts(digest, layerRequest(whole));
    const own = silentLayer();
    const stored = inspector.readIntoStore(digest, layerRequest(own.open), {});
    void stored.catch(() => undefined);
    await vi.advanceTimersByTimeAsync(10);
    expect(own.opened()).toBe(1);
    const client = silentLayer();
    const left = new AbortController();
    const asked = inspector.facts(digestOf(new Uint8Array(1)), layerRequest(client.open), {
      signal: left.signal,
    });
    const gone = expect(asked).rejects.toThrow('left');
    await vi.advanceTimersByTimeAsync(15_000);
    expect([client.opened(), own.source.cancelled]).toEqual([1, expect.anything()]);
    left.abort(new Error('left'));
    await gone;
  });
});
