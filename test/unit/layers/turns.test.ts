import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createTurns } from '../../../src/layers/turns.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('as many as the limit work at once, in the order of their coming', async () => {
  const turns = createTurns({ limit: 2, staleMs: 1000, clock: Date.now });
  const begun: string[] = [];
  const take = async (name: string) => {
    const turn = await turns.take();
    begun.push(name);
    return turn;
  };
  const [first] = await Promise.all([take('a'), take('b')]);
  const later = [take('c'), take('d')];
  await vi.advanceTimersByTimeAsync(1);
  expect(begun).toEqual(['a', 'b']);
  first.release();
  first.release();
  await vi.advanceTimersByTimeAsync(1);
  expect(begun).toEqual(['a', 'b', 'c']);
  (await later[0])?.release();
  await later[1];
  expect(vi.getTimerCount()).toBe(0);
});

test('a turn that stands still is taken away, one that goes on is not', async () => {
  const turns = createTurns({ limit: 1, staleMs: 1000, clock: Date.now });
  const holder = await turns.take();
  let begun = false;
  void turns.take().then(() => {
    begun = true;
  });
  for (let step = 0; step < 10; step += 1) {
    await vi.advanceTimersByTimeAsync(500);
    holder.touch();
  }
  expect(begun).toBe(false);
  await vi.advanceTimersByTimeAsync(1500);
  expect(begun).toBe(true);
  // Too late: the place is another's now.
  holder.release();
  holder.touch();
  let third = false;
  void turns.take().then(() => {
    third = true;
  });
  await vi.advanceTimersByTimeAsync(1);
  expect(third).toBe(false);
});
