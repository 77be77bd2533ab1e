import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { createWindowBudget } from '../../../src/runtime/node/window-budget.ts';

const never = new AbortController().signal;

const owner = ['192.0.2.7', ''];

/** Asks, and tells in `served` when the memory is there. */
function line(total: number) {
  const budget = createWindowBudget(total);
  const served: number[] = [];
  const take = async (bytes: number, signal = never) => {
    const giveBack = await budget.take({ bytes, owner }, signal);
    served.push(bytes);
    return giveBack;
  };
  return { served, take };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test('memory is lent as far as it goes, and the rest waits', async () => {
  const { served, take } = line(10);
  const giveBack = await take(6);
  const second = take(5);
  await turn();
  expect(served).toEqual([6]);
  giveBack();
  await second;
  expect(served).toEqual([6, 5]);
});

test('a large part does not starve behind small ones', async () => {
  const { served, take } = line(10);
  const giveBack = await take(6);
  const [large, small] = [take(9), take(1)];
  await turn();
  expect(served).toEqual([6]);
  giveBack();
  await Promise.all([large, small]);
  expect(served).toEqual([6, 9, 1]);
});

test('who leaves the line lets the next one pass', async () => {
  const { served, take } = line(10);
  await take(6);
  const leaving = new AbortController();
  const large = take(9, leaving.signal);
  const small = take(4);
  leaving.abort(new Error('gone'));
  await expect(large).rejects.toThrow('gone');
  await small;
  expect(served).toEqual([6, 4]);
  expect(getEventListeners(leaving.signal, 'abort')).toEqual([]);
  await expect(take(1, leaving.signal)).rejects.toThrow('gone');
});

test('what is given back twice counts once, and more than all there is takes all', async () => {
  const { served, take } = line(10);
  const giveBack = await take(99);
  giveBack();
  giveBack();
  await take(10);
  void take(1);
  await turn();
  expect(served).toEqual([99, 10]);
});
