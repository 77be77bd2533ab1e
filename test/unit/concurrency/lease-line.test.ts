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
    refuse: (refusal, place) => new Error(`${refusal} ${place}`),
  });

function request(place: string, address = 'a', more: Partial<LineLeaseRequest> = {}): LineLeaseRequest {
  return { place, owner: [address, place], address, isWanted: () => true, onWait: () => undefined, ...more };
}

/** @returns the names of those that have begun, in order, and their leases. */
function takers(line: ReturnType<typeof newLine>) {
  const begun: string[] = [];
  const leases = new Map<string, LineLease>();
  const take = async (name: string, wanted: LineLeaseRequest) => {
    const lease = await line.take(wanted);
    begun.push(name);
    leases.set(name, lease);
  };
  return { begun, leases, take };
}

const soon = () => vi.advanceTimersByTimeAsync(1);

describe('a line of leases', () => {
  test('gives out as many as the limit, and one of each place', async () => {
    const { begun, leases, take } = takers(newLine(2));
    void take('x', request('x'));
    void take('x again', request('x', 'b'));
    void take('y', request('y'));
    void take('z', request('z'));
    await soon();
    expect(begun).toEqual(['x', 'y']);
    leases.get('x')?.release();
    leases.get('x')?.release();
    await soon();
    expect(begun).toHaveLength(3);
    for (const lease of leases.values()) lease.release();
    await soon();
    expect(begun.toSorted()).toEqual(['x', 'x again', 'y', 'z']);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('serves addresses in turn, however many places one of them asks for', async () => {
    const { begun, leases, take } = takers(newLine(1));
    for (let index = 0; index < 20; index += 1) void take(`many ${index}`, request(`place ${index}`, 'many'));
    void take('one', request('other', 'one'));
    await soon();
    leases.get('many 0')?.release();
    await soon();
    expect(begun).toEqual(['many 0', 'many 1']);
    leases.get('many 1')?.release();
    await soon();
    expect(begun.at(-1)).toBe('one');
  });

  test('refuses those that waited too long, and never begins their work', async () => {
    const { begun, leases, take } = takers(newLine(1));
    void take('first', request('x'));
    const late = expect(take('late', request('x', 'b'))).rejects.toThrow('late x');
    for (let step = 0; step < 31; step += 1) {
      await vi.advanceTimersByTimeAsync(1_000);
      expect(leases.get('first')?.touch()).toBe(true);
    }
    await late;
    leases.get('first')?.release();
    await soon();
    expect(begun).toEqual(['first']);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('refuses at once where the line is full, or holds too many of one address', async () => {
    const { begun, leases, take } = takers(newLine(1, { all: 3, ofAddress: 2 }));
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
    // Those that have left are not counted any more.
    void take('6', request('x', 'a'));
    leases.get('first')?.release();
    await soon();
    expect(begun).toEqual(['first', '6']);
  });

  // On Workers, the work of a request that is cut off never goes on.
  test('takes a lease away that stands still, once another request waits for it', async () => {
    const { begun, leases, take } = takers(newLine(1));
    void take('first', request('x'));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(leases.get('first')?.touch()).toBe(true);
    await vi.advanceTimersByTimeAsync(15_000);
    void take('second', request('x', 'b'));
    await vi.advanceTimersByTimeAsync(4_000);
    expect(begun).toEqual(['first']);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(begun).toEqual(['first', 'second']);
    expect(leases.get('first')?.touch()).toBe(false);
    // Too late: the place is another's now.
    leases.get('first')?.release();
    void take('third', request('x', 'c'));
    await soon();
    expect(begun).toEqual(['first', 'second']);
  });

  test('forgets a request whose client has left', async () => {
    const { begun, leases, take } = takers(newLine(1));
    void take('first', request('x'));
    let isWanted = true;
    const left = expect(take('left', request('x', 'b', { isWanted: () => isWanted }))).rejects.toThrow();
    await soon();
    isWanted = false;
    leases.get('first')?.release();
    await vi.advanceTimersByTimeAsync(1_000);
    await left;
    expect(begun).toEqual(['first']);
    void take('next', request('x', 'c'));
    await soon();
    expect(begun).toEqual(['first', 'next']);
  });
});
