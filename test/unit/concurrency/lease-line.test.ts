import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  createLeaseLine,
  type LineLease,
  type LineLeaseRequest,
} from '../../../src/concurrency/lease-line.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const newLine = (limit = 1, waiting = { all: 100, ofAddress: 50 }) =>
  createLeaseLine({
    limit,
    waiting,
    staleMs: 20_000,
    patienceMs: 30_000,
    clock: Date.now,
    refuse: (refusal, key) => new Error(`${refusal} ${key}`),
  });

function request(key: string, address = 'a', more: Partial<LineLeaseRequest> = {}): LineLeaseRequest {
  return { key, owner: [address, key], address, isWanted: () => true, onWait: () => undefined, ...more };
}

/** Collects the names of the requests that got a lease, in order, and their leases. */
function takersOf(line: ReturnType<typeof newLine>) {
  const granted: string[] = [];
  const leases = new Map<string, LineLease>();
  const take = async (name: string, wanted: LineLeaseRequest) => {
    const lease = await line.acquire(wanted);
    granted.push(name);
    leases.set(name, lease);
  };
  return { granted, leases, take };
}

const soon = () => vi.advanceTimersByTimeAsync(1);

describe('a line of leases', () => {
  test('grants as many leases as the limit, and one for each key', async () => {
    const { granted, leases, take } = takersOf(newLine(2));
    void take('x', request('x'));
    void take('x again', request('x', 'b'));
    void take('y', request('y'));
    void take('z', request('z'));
    await soon();
    expect(granted).toEqual(['x', 'y']);
    leases.get('x')?.release();
    leases.get('x')?.release();
    await soon();
    expect(granted).toHaveLength(3);
    for (const lease of leases.values()) lease.release();
    await soon();
    expect(granted.toSorted()).toEqual(['x', 'x again', 'y', 'z']);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('serves addresses in turn, however many keys one of them requests', async () => {
    const { granted, leases, take } = takersOf(newLine(1));
    for (let index = 0; index < 20; index += 1) void take(`many ${index}`, request(`key ${index}`, 'many'));
    void take('one', request('other', 'one'));
    await soon();
    leases.get('many 0')?.release();
    await soon();
    expect(granted).toEqual(['many 0', 'many 1']);
    leases.get('many 1')?.release();
    await soon();
    expect(granted.at(-1)).toBe('one');
  });

  test('refuses requests that waited too long, and never starts their work', async () => {
    const { granted, leases, take } = takersOf(newLine(1));
    void take('first', request('x'));
    const late = expect(take('late', request('x', 'b'))).rejects.toThrow('late x');
    for (let step = 0; step < 31; step += 1) {
      await vi.advanceTimersByTimeAsync(1_000);
      expect(leases.get('first')?.touch()).toBe(true);
    }
    await late;
    leases.get('first')?.release();
    await soon();
    expect(granted).toEqual(['first']);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('refuses at once if the line is full, or has too many requests of one address', async () => {
    const { granted, leases, take } = takersOf(newLine(1, { all: 3, ofAddress: 2 }));
    void take('first', request('x'));
    await soon();
    const waiting = [take('1', request('x', 'a')), take('2', request('y', 'a'))];
    await expect(take('3', request('z', 'a'))).rejects.toThrow('full z');
    waiting.push(take('4', request('z', 'b')));
    await expect(take('5', request('z', 'c'))).rejects.toThrow('full z');
    const all = Promise.allSettled(waiting);
    for (let step = 0; step < 31; step += 1) {
      await vi.advanceTimersByTimeAsync(1_000);
      leases.get('first')?.touch();
    }
    await all;
    // Requests that have left no longer count.
    void take('6', request('x', 'a'));
    leases.get('first')?.release();
    await soon();
    expect(granted).toEqual(['first', '6']);
  });

  // On Workers, the work of a cancelled request never goes on.
  test('revokes a stale lease once another request waits', async () => {
    const { granted, leases, take } = takersOf(newLine(1));
    void take('first', request('x'));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(leases.get('first')?.touch()).toBe(true);
    await vi.advanceTimersByTimeAsync(15_000);
    void take('second', request('x', 'b'));
    await vi.advanceTimersByTimeAsync(4_000);
    expect(granted).toEqual(['first']);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(granted).toEqual(['first', 'second']);
    expect(leases.get('first')?.touch()).toBe(false);
    // This release comes too late: another request has the lease now.
    leases.get('first')?.release();
    void take('third', request('x', 'c'));
    await soon();
    expect(granted).toEqual(['first', 'second']);
  });

  test('skips a request whose client has left', async () => {
    const { granted, leases, take } = takersOf(newLine(1));
    void take('first', request('x'));
    let isWanted = true;
    const left = expect(take('left', request('x', 'b', { isWanted: () => isWanted }))).rejects.toThrow();
    await soon();
    isWanted = false;
    leases.get('first')?.release();
    await vi.advanceTimersByTimeAsync(1_000);
    await left;
    expect(granted).toEqual(['first']);
    void take('next', request('x', 'c'));
    await soon();
    expect(granted).toEqual(['first', 'next']);
  });
});
