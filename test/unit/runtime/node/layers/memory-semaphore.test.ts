import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { WindowHolder } from '../../../../../src/layers/windows.ts';
import { createWindowBudget } from '../../../../../src/runtime/node/layers/memory-semaphore.ts';

const never = new AbortController().signal;
const [alice, bob] = [
  ['office', 'alice'],
  ['office', 'bob'],
];
const [carol, dave] = [
  ['192.0.2.7', ''],
  ['192.0.2.8', ''],
];

afterEach(() => {
  vi.useRealTimers();
});

/** Takes memory from a budget of `total` bytes; `served` lists the sizes in the order in which they were granted. */
function line(total: number) {
  const budget = createWindowBudget(total);
  const served: number[] = [];
  const take = async (bytes: number, owner = alice, signal = never, holder?: WindowHolder) => {
    const giveBack = await budget.take({ bytes, owner, ...(holder ? { holder } : {}) }, signal);
    served.push(bytes);
    return giveBack;
  };
  return { served, take };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('memory', () => {
  test('is lent as far as it goes, and the rest waits', async () => {
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
    await large.then((back) => back());
    await small;
    expect(served).toEqual([6, 9, 1]);
  });

  test('is kept for a large part whose turn it is, whatever small ones others ask for', async () => {
    const { served, take } = line(16);
    const backs = [await take(8, alice), await take(4, carol)];
    const large = take(10, dave);
    const small = take(2, ['192.0.2.9', '']);
    backs.pop()?.();
    await turn();
    expect(served).toEqual([8, 4]);
    backs.pop()?.();
    await Promise.all([large, small]);
    expect(served).toEqual([8, 4, 10, 2]);
  });

  test('a client that leaves the line lets the next one pass', async () => {
    const { served, take } = line(10);
    await take(6);
    const leaving = new AbortController();
    const large = take(9, bob, leaving.signal);
    const small = take(4, bob);
    leaving.abort(new Error('gone'));
    await expect(large).rejects.toThrow('gone');
    await small;
    expect(served).toEqual([6, 4]);
    expect(getEventListeners(leaving.signal, 'abort')).toEqual([]);
    await expect(take(1, bob, leaving.signal)).rejects.toThrow('gone');
  });

  test('a part given back twice counts once, and a part larger than all there is takes all', async () => {
    const { served, take } = line(10);
    const giveBack = await take(99);
    giveBack();
    giveBack();
    await take(10);
    void take(1);
    await turn();
    expect(served).toEqual([99, 10]);
  });
});

describe('the share of an owner', () => {
  test('ends at a quarter while others wait, and not before', async () => {
    const { served, take } = line(16);
    const backs = [];
    for (const bytes of [1, 2, 3, 10]) backs.push(await take(bytes, alice));
    const more = take(4, alice);
    const other = take(5, carol);
    await turn();
    expect(served).toEqual([1, 2, 3, 10]);
    backs[3]?.();
    // The other request came later and is served first. Once nobody else waits, the first owner may exceed its share.
    await Promise.all([more, other]);
    expect(served).toEqual([1, 2, 3, 10, 5, 4]);
  });

  test('is one window of any size for an owner that holds none', async () => {
    const { served, take } = line(16);
    const first = await take(8, alice);
    const second = await take(8, carol);
    const waiting = [take(8, alice), take(8, dave)];
    second();
    await turn();
    // Alice's request came first, but she holds a window already, so Dave is served.
    expect(served).toEqual([8, 8, 8]);
    first();
    await Promise.all(waiting);
  });

  test('is shared by all logins of an address', async () => {
    const { served, take } = line(16);
    const backs: (() => void)[] = [];
    for (let index = 0; index < 16; index += 1) backs.push(await take(1, ['attacker', `login ${index}`]));
    for (let index = 0; index < 9; index += 1) void take(1, ['attacker', `another ${index}`]);
    const others = [take(2, carol), take(4, dave)];
    for (const back of backs.slice(0, 6)) back();
    await Promise.all(others);
    expect(served.slice(16)).toEqual([2, 4]);
  });

  test('within one address, belongs to each login', async () => {
    const { served, take } = line(16);
    const backs: (() => void)[] = [];
    for (let index = 0; index < 16; index += 1) backs.push(await take(1, alice));
    void take(1, alice);
    const other = take(2, bob);
    for (const back of backs.slice(0, 2)) back();
    await other;
    expect(served.slice(16)).toEqual([2]);
  });
});

/** Returns its memory as soon as the budget requests it. */
function holderOf(state: Partial<Record<'slow' | 'old', boolean>>) {
  let back = () => {};
  let asked = 0;
  const holder: WindowHolder = {
    isSlow: () => state.slow === true,
    isPastMinimum: () => state.old === true,
    giveBack: () => {
      asked += 1;
      queueMicrotask(() => back());
    },
  };
  return {
    holder,
    asked: () => asked,
    holds: (giveBack: () => void) => {
      back = giveBack;
    },
  };
}

describe('while others wait', () => {
  test('slow streams give back as many windows as are missing, the newest first', async () => {
    const { take } = line(8);
    const slow = [0, 1, 2, 3].map(() => holderOf({ slow: true }));
    for (const each of slow) each.holds(await take(2, alice, never, each.holder));
    expect(slow.map(({ asked }) => asked())).toEqual([0, 0, 0, 0]);
    await take(3, carol);
    expect(slow.map(({ asked }) => asked())).toEqual([0, 0, 1, 1]);
  });

  test('a stream that becomes slow is found within seconds, and no timer stays', async () => {
    vi.useFakeTimers();
    const { take } = line(8);
    const state = { slow: false };
    const fast = holderOf(state);
    fast.holds(await take(8, alice, never, fast.holder));
    const other = take(1, carol);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(fast.asked()).toBe(0);
    state.slow = true;
    await vi.advanceTimersByTimeAsync(1_000);
    await other;
    expect(vi.getTimerCount()).toBe(0);
  });

  test('no timer stays when the only one in line leaves', async () => {
    vi.useFakeTimers();
    const { take } = line(8);
    await take(8, alice);
    const leaving = new AbortController();
    const waiting = take(1, carol, leaving.signal);
    expect(vi.getTimerCount()).toBe(1);
    leaving.abort(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');
    expect(vi.getTimerCount()).toBe(0);
  });

  test('slow streams keep their windows where these would not be enough', async () => {
    const { take } = line(8);
    const [fast, slow] = [holderOf({}), holderOf({ slow: true })];
    fast.holds(await take(6, alice, never, fast.holder));
    slow.holds(await take(2, carol, never, slow.holder));
    void take(4, dave);
    await turn();
    expect(slow.asked()).toBe(0);
  });

  test('an owner beyond its share gives back what is beyond it, after a time, and keeps one window', async () => {
    vi.useFakeTimers();
    const { take } = line(16);
    const state = { old: false };
    const [first, second] = [holderOf(state), holderOf(state)];
    first.holds(await take(8, alice, never, first.holder));
    second.holds(await take(8, alice, never, second.holder));
    const other = take(8, carol);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(second.asked()).toBe(0);
    state.old = true;
    await vi.advanceTimersByTimeAsync(1_000);
    await other;
    void take(8, dave);
    await vi.advanceTimersByTimeAsync(5_000);
    expect([first.asked(), second.asked()]).toEqual([0, 1]);
  });
});

test('whatever is asked for: no more than all is lent, and every request is served', async () => {
  const owners = [alice, bob, carol, dave];
  const request = fc.record({
    bytes: fc.integer({ min: 1, max: 40 }),
    owner: fc.constantFrom(...owners),
    keeps: fc.integer({ min: 0, max: 5 }),
    leaves: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 30 }), async (requests) => {
      const total = 64;
      const { take } = line(total);
      let lent = 0;
      let [served, left] = [0, 0];
      await Promise.all(
        requests.map(async ({ bytes, owner, keeps, leaves }) => {
          const leaving = new AbortController();
          const waiting = take(bytes, owner, leaving.signal);
          if (leaves) queueMicrotask(() => leaving.abort(new Error('gone')));
          const giveBack = await waiting.catch(() => undefined);
          if (giveBack === undefined) {
            left += 1;
            return;
          }
          lent += bytes;
          expect(lent).toBeLessThanOrEqual(total);
          for (let count = 0; count < keeps; count += 1) await Promise.resolve();
          lent -= bytes;
          giveBack();
          served += 1;
        }),
      );
      expect(served + left).toBe(requests.length);
      expect(left).toBeLessThanOrEqual(requests.filter(({ leaves }) => leaves).length);
      const all = await take(total, alice);
      all();
    }),
    { numRuns: 200 },
  );
});
