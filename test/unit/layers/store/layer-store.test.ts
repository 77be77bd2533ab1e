import { expect, onTestFinished, test, vi } from 'vitest';
import { digestOf } from '../../../../converters/digest.ts';
import { createLayerStores, type LayerStore } from '../../../../src/layers/store/layer-store.ts';
import { noMetrics } from '../../../../src/observability/metrics.ts';
import { createNodeLayerCodec } from '../../../../src/runtime/node/layers/codec.ts';
import { bytesOf } from '../../../support/byte-streams.ts';
import { layerContent } from '../../../support/layer-content.ts';
import { testMemory } from '../../../support/memory.ts';
import { createMemoryBlobStore, storedKey } from '../../../support/memory-blob-store.ts';

const bytes = layerContent(5_000);
const blob = { digest: digestOf(bytes), size: bytes.length };
const [one, other] = ['https://one.example', 'https://other.example'];
const whole = { start: 0, stop: bytes.length, blob };

function stores(clock = () => 0) {
  const store = createMemoryBlobStore();
  const pending: Promise<unknown>[] = [];
  const of = createLayerStores({
    store,
    codec: createNodeLayerCodec(),
    clock,
    memory: testMemory(),
    background: (work) => void pending.push(work),
    log: () => {},
    metrics: noMetrics,
  }).of;
  return { store, of, settled: () => Promise.all(pending) };
}

async function fill(store: LayerStore): Promise<void> {
  const filling = store.fill(blob);
  await filling?.add(bytes);
  await filling?.commit(blob);
}

test('a blob of one registry is not one of another, and is one of the same', async () => {
  const { of, settled, store } = stores();
  await fill(of(one));
  await settled();
  expect([...store.blobs.keys()]).toEqual([storedKey(blob.digest, one)]);
  expect([await of(other).has(blob.digest), await of(other).open(blob)]).toEqual([undefined, undefined]);
  expect(await of(one).has(blob.digest)).toBe(blob.size);
  const stream = await of(one).open(blob);
  expect(stream && (await bytesOf(stream))).toEqual(bytes);
});

test('a blob on its way into the store is followed through its own registry alone', async () => {
  const { of, settled } = stores();
  const filled = fill(of(one));
  // A second fill of the same registry waits for nothing, and writes nothing.
  expect(of(one).fill(blob)).toBeUndefined();
  const foreign = fill(of(other));
  await filled;
  const { signal } = new AbortController();
  expect(await of('https://third.example').follow(whole, signal)).toBeUndefined();
  expect(await of(one).follow(whole, signal)).toBe('stored');
  await foreign;
  await settled();
  expect([await of(one).has(blob.digest), await of(other).has(blob.digest)]).toEqual([blob.size, blob.size]);
});

test('a blob that an earlier version stored without its registry is given to nobody', async () => {
  const { of, store } = stores();
  store.blobs.set(`sha256/${blob.digest.slice(7)}`, bytes);
  expect([await of(one).has(blob.digest), await of(one).open(blob)]).toEqual([undefined, undefined]);
});

// Workers end a write with its request. Its promises never settle then.
test('a write that is lost holds pulls for three seconds once, and its place for eleven minutes', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  let now = 0;
  const { of, store } = stores(() => now);
  store.fault = 'silence';
  // The limits of the fill do not end it, because the runtime has ended their timers.
  vi.stubGlobal('setTimeout', () => 0);
  await fill(of(one));
  vi.unstubAllGlobals();
  store.fault = 'none';
  const follow = () => of(one).follow(whole, new AbortController().signal);
  const first = follow();
  await vi.advanceTimersByTimeAsync(3_000);
  expect(await first).toBeUndefined();
  expect(await follow()).toBeUndefined();
  now = 660_000;
  expect(of(one).fill(blob)).toBeUndefined();
  now = 660_001;
  await fill(of(one));
  vi.useRealTimers();
  await vi.waitFor(() => expect(store.blobs.size).toBe(1));
});

test('a fill that gets bytes keeps its place', async () => {
  let now = 0;
  const { of } = stores(() => now);
  const filling = of(one).fill(blob);
  now = 600_000;
  await filling?.add(bytes);
  now = 1_200_000;
  expect(of(one).fill(blob)).toBeUndefined();
});
