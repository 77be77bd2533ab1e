import { getEventListeners } from 'node:events';
import { expect, it } from 'vitest';
import { createFairSemaphore } from '../../../src/concurrency/fair-semaphore.ts';

const never = new AbortController().signal;
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

it('limits concurrent work, and lets owners take turns', async () => {
  const semaphore = createFairSemaphore(2);
  const order: string[] = [];
  let running = 0;
  const work = async (owner: string) => {
    const leave = await semaphore.acquire([owner], never);
    running += 1;
    expect(running).toBeLessThanOrEqual(2);
    order.push(owner);
    await turn();
    running -= 1;
    leave();
    leave();
  };
  await Promise.all(['many', 'many', 'many', 'many', 'one'].map(work));
  expect(order).toEqual(['many', 'many', 'many', 'one', 'many']);
});

it('skips a caller that has left the queue', async () => {
  const semaphore = createFairSemaphore(1);
  const leave = await semaphore.acquire(['a'], never);
  const leaving = new AbortController();
  const waiting = semaphore.acquire(['b'], leaving.signal);
  leaving.abort(new Error('gone'));
  await expect(waiting).rejects.toThrow('gone');
  expect(getEventListeners(leaving.signal, 'abort')).toEqual([]);
  leave();
  (await semaphore.acquire(['c'], never))();
  await expect(semaphore.acquire(['d'], leaving.signal)).rejects.toThrow('gone');
});
