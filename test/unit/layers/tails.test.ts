import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { RegistryError } from '../../../src/errors.ts';
import { createTails } from '../../../src/layers/tails.ts';
import { memoryWith, testMemory } from '../../support/memory.ts';

const bytes = (length: number) => new Uint8Array(length).fill(7);
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A read that ends when the test says so. */
function held() {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const state: { reads: number; signal?: AbortSignal; waitedMs?: number } = { reads: 0 };
  const read = (signal: AbortSignal, waitedMs: number) => {
    state.reads += 1;
    state.signal = signal;
    state.waitedMs = waitedMs;
    return promise;
  };
  return { state, read, resolve, reject };
}

describe('one decompression', () => {
  test('is shared by all who ask for the same tail at once, and later', async () => {
    const tails = createTails(testMemory());
    const { state, read, resolve } = held();
    const asking = Array.from({ length: 40 }, () => tails.get('a', read, undefined));
    resolve(bytes(1));
    for (const tail of await Promise.all(asking)) expect(tail).toEqual(bytes(1));
    expect(await tails.get('a', read, undefined)).toEqual(bytes(1));
    expect(state.reads).toBe(1);
  });

  test('is for one tail', async () => {
    const tails = createTails(testMemory());
    const read = async (length: number) => bytes(length);
    const asking = [tails.get('a', () => read(1), undefined), tails.get('b', () => read(2), undefined)];
    expect(await Promise.all(asking)).toEqual([bytes(1), bytes(2)]);
  });
});

test('the tails used last are kept, as far as the memory goes', async () => {
  const tails = createTails(memoryWith('layer-tails', 400_000));
  let reads = 0;
  const read = async () => {
    reads += 1;
    return bytes(100_000);
  };
  for (const key of ['a', 'b', 'c', 'c', 'a']) await tails.get(key, read, undefined);
  expect(reads).toBe(4);
});

describe('a failure', () => {
  test('is that of its own caller: the others read with their own right', async () => {
    const tails = createTails(testMemory());
    const [first, second] = [held(), held()];
    const refused = tails.get('a', first.read, undefined);
    const other = tails.get('a', second.read, undefined);
    first.reject(new RegistryError('UNAUTHORIZED', 'no'));
    await expect(refused).rejects.toThrow('no');
    second.resolve(bytes(3));
    expect(await other).toEqual(bytes(3));
    expect(second.state).toMatchObject({ reads: 1, waitedMs: 0 });
  });

  test('is not kept', async () => {
    const tails = createTails(testMemory());
    await expect(tails.get('a', () => Promise.reject(new Error('broken')), undefined)).rejects.toThrow(
      'broken',
    );
    expect(await tails.get('a', async () => bytes(2), undefined)).toEqual(bytes(2));
  });

  test('of the memory counts as time in line of those who waited for it', async () => {
    const tails = createTails(testMemory());
    const [first, second] = [held(), held()];
    const late = tails.get('a', first.read, undefined);
    const other = tails.get('a', second.read, undefined);
    await new Promise((resolve) => setTimeout(resolve, 20));
    first.reject(new RegistryError('OVERLOADED', 'late'));
    await expect(late).rejects.toThrow('late');
    second.resolve(bytes(3));
    await other;
    expect(second.state.waitedMs).toBeGreaterThan(10);
  });
});

describe('a client that leaves', () => {
  test('takes nothing from those who wait too', async () => {
    const tails = createTails(testMemory());
    const { state, read, resolve } = held();
    const leaving = new AbortController();
    const gone = tails.get('a', read, leaving.signal);
    const other = tails.get('a', read, undefined);
    leaving.abort(new Error('gone'));
    await expect(gone).rejects.toThrow('gone');
    expect(state.signal?.aborted).toBe(false);
    expect(getEventListeners(leaving.signal, 'abort')).toEqual([]);
    resolve(bytes(1));
    expect(await other).toEqual(bytes(1));
    expect(state.reads).toBe(1);
  });

  test('ends the decompression when it was the last', async () => {
    const tails = createTails(testMemory());
    const { state, read } = held();
    const leaving = new AbortController();
    const gone = tails.get('a', read, leaving.signal);
    leaving.abort(new Error('gone'));
    await expect(gone).rejects.toThrow('gone');
    await turn();
    expect(state.signal?.aborted).toBe(true);
    expect(await tails.get('a', async () => bytes(2), undefined)).toEqual(bytes(2));
  });
});
