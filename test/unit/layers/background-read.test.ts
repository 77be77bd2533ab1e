import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { digestOf } from '../../../converters/digest.ts';
import { startBackgroundRead } from '../../../src/layers/background-read.ts';
import { defaultDecompressionLimits } from '../../../src/layers/decompression-limits.ts';
import { createLayerLeases } from '../../../src/layers/inspector.ts';
import { createNodeLayerCodec } from '../../../src/runtime/node/layers/codec.ts';
import { layerRequest } from '../../support/layer-request.ts';

const silenceMs = 60_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A read in the queue behind another one that has the only lease. */
async function queued() {
  const time = { now: 0 };
  const clock = () => time.now;
  const leases = createLayerLeases(1, clock, 10 * silenceMs);
  await leases.request(['other'], 'normal').granted;
  const request = layerRequest(() => new Promise(() => undefined));
  const read = startBackgroundRead(digestOf(new Uint8Array()), request, 'normal', {
    ...{ codec: createNodeLayerCodec(), limits: defaultDecompressionLimits, leases, clock, silenceMs },
  });
  read.facts.catch(() => undefined);
  const left = new AbortController();
  const wait = read.wait(request, left.signal).catch(() => undefined);
  const leave = () => {
    left.abort();
    return wait;
  };
  return { time, read, leave };
}

it('a read that waits for its lease is alive however long it waits', async () => {
  const { time, read, leave } = await queued();
  for (let minute = 0; minute < 10; minute += 1) {
    time.now += silenceMs;
    await vi.advanceTimersByTimeAsync(silenceMs);
    expect(read.isDead()).toBe(false);
  }
  await leave();
});

it('a read that waits for its lease is dead once the runtime has ended its request, whose timers then stand still', async () => {
  const { time, read, leave } = await queued();
  time.now += silenceMs;
  expect(read.isDead()).toBe(false);
  time.now += 1;
  expect(read.isDead()).toBe(true);
  await leave();
});
