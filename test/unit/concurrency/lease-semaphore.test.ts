import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createLeaseSemaphore, type LeaseClass } from '../../../src/concurrency/lease-semaphore.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('leases are limited, and granted in the order of the requests', async () => {
  const leases = createLeaseSemaphore({ limit: 2, staleMs: 1000, clock: Date.now });
  const begun: string[] = [];
  const take = async (name: string) => {
    const lease = await leases.request(['a'], 'normal').granted;
    begun.push(name);
    return lease;
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

test('a lease that changes its class gives way to a request that now has room', async () => {
  const leases = createLeaseSemaphore({ limit: 3, staleMs: 1_000_000, clock: Date.now });
  const [first] = await Promise.all([
    leases.request(['a'], 'background').granted,
    leases.request(['a'], 'background').granted,
  ]);
  let begun = false;
  void leases.request(['a'], 'background').granted.then(() => {
    begun = true;
  });
  await vi.advanceTimersByTimeAsync(1);
  expect(begun).toBe(false);
  first.reclassify('normal');
  await vi.advanceTimersByTimeAsync(1);
  expect(begun).toBe(true);
});

test('a stale lease is revoked, an active one is not', async () => {
  const leases = createLeaseSemaphore({ limit: 1, staleMs: 1000, clock: Date.now });
  const holder = await leases.request(['a'], 'normal').granted;
  let begun = false;
  void leases.request(['a'], 'normal').granted.then(() => {
    begun = true;
  });
  for (let step = 0; step < 10; step += 1) {
    await vi.advanceTimersByTimeAsync(500);
    holder.touch();
  }
  expect(begun).toBe(false);
  await vi.advanceTimersByTimeAsync(1500);
  expect(begun).toBe(true);
  // These calls come too late: another request has the lease now.
  holder.release();
  holder.touch();
  let third = false;
  void leases.request(['a'], 'normal').granted.then(() => {
    third = true;
  });
  await vi.advanceTimersByTimeAsync(1);
  expect(third).toBe(false);
});

describe('leases among owners', () => {
  const semaphoreOf = (limit: number) => createLeaseSemaphore({ limit, staleMs: 1_000_000, clock: Date.now });

  test('are granted to owners in turn, whatever the number of their requests', async () => {
    const leases = semaphoreOf(1);
    const first = await leases.request(['registry', 'a'], 'normal').granted;
    const order: string[] = [];
    const acquire = async (...owner: string[]) => {
      const lease = await leases.request(owner, 'normal').granted;
      order.push(owner.join('/'));
      lease.release();
    };
    const requests = [
      ...Array.from({ length: 4 }, () => acquire('registry', 'a')),
      acquire('registry', 'b'),
      acquire('other', 'c'),
    ];
    first.release();
    await Promise.all(requests);
    expect(order).toEqual(['registry/a', 'other/c', 'registry/b', 'registry/a', 'registry/a', 'registry/a']);
  });

  test('of a request with several owners are granted at the first turn of any of them', async () => {
    const leases = semaphoreOf(1);
    const first = await leases.request(['x'], 'normal').granted;
    const order: string[] = [];
    const note = (name: string) => (lease: { release(): void }) => {
      order.push(name);
      lease.release();
    };
    const requests = ['busy 1', 'busy 2'].map((name) =>
      leases.request(['busy'], 'normal').granted.then(note(name)),
    );
    const common = leases.request(['busy'], 'normal');
    common.joinAs(['quick']);
    requests.push(common.granted.then(note('common')));
    first.release();
    await Promise.all(requests);
    expect(order).toEqual(['busy 1', 'common', 'busy 2']);
    expect(leases.expectedWait()).toBe(0);
  });

  test('of later classes come last, and leave one lease to the first class', async () => {
    const leases = semaphoreOf(2);
    const begun: string[] = [];
    const acquire = (name: string, leaseClass: LeaseClass) => {
      const { granted } = leases.request([name], leaseClass);
      void granted.then(() => begun.push(name));
      return granted;
    };
    const background = acquire('background', 'background');
    acquire('deferred', 'deferred');
    await settle();
    expect(begun).toEqual(['background']);
    const normal = acquire('normal', 'normal');
    await normal;
    acquire('late', 'normal');
    (await background).release();
    await settle();
    expect(begun).toEqual(['background', 'normal', 'late']);
    (await normal).release();
    await settle();
    expect(begun).toEqual(['background', 'normal', 'late', 'deferred']);
  });

  test('are wanted by waiting owners, above all by one with fewer leases', async () => {
    const leases = semaphoreOf(2);
    const [one, two] = await Promise.all([
      leases.request(['registry', 'a'], 'normal').granted,
      leases.request(['registry', 'a'], 'normal').granted,
    ]);
    expect(one?.wantedBy()).toBeUndefined();
    const own = leases.request(['registry', 'a'], 'normal');
    expect(one?.wantedBy()).toBeUndefined();
    own.leave();
    const background = leases.request(['registry', 'b'], 'background');
    expect(one?.wantedBy()).toBeUndefined();
    background.leave();
    leases.request(['registry', 'b'], 'normal');
    expect(one?.wantedBy()).toBe('shorter');
    two?.release();
    await settle();
    leases.request(['registry', 'c'], 'normal');
    expect(one?.wantedBy()).toBe('shorter');
    leases.request(['registry', 'b'], 'normal');
    one?.reclassify('deferred');
    expect(one?.wantedBy()).toBe('shorter');
  });

  test('are not granted to a request that has left, and end if their request leaves later', async () => {
    const leases = semaphoreOf(1);
    const first = leases.request(['a'], 'normal');
    const second = leases.request(['b'], 'normal');
    const third = leases.request(['c'], 'normal');
    second.leave();
    await first.granted;
    first.leave();
    await third.granted;
    expect(leases.expectedWait()).toBeGreaterThan(0);
    third.leave();
    expect(leases.expectedWait()).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  const settle = () => vi.advanceTimersByTimeAsync(1);
});
