import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createSharedWork, type SharedRun } from '../../../src/concurrency/shared-work.ts';
import { createBudget } from '../../../src/request/budget.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const newWork = () =>
  createSharedWork<string>({ staleMs: 20_000, clock: Date.now, background: () => undefined });

describe('shared work', () => {
  test('runs once for all requests with the same key, and again after it has ended', async () => {
    const shared = newWork();
    const start = vi.fn(async () => 'done');
    const all = ['a', 'a', 'b'].map((key) => shared.join(key, undefined, start));
    expect(await Promise.all(all)).toEqual(['done', 'done', 'done']);
    expect(start).toHaveBeenCalledTimes(2);
    await shared.join('a', undefined, start);
    expect(start).toHaveBeenCalledTimes(3);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('is wanted until the last request has left, and is not joined after that', async () => {
    const shared = newWork();
    const runs: SharedRun[] = [];
    const start = (run: SharedRun) => {
      runs.push(run);
      return new Promise<string>(() => undefined);
    };
    const [one, two] = [new AbortController(), new AbortController()];
    const waiting = [one, two].map(({ signal }) => shared.join('a', signal, start));
    const ended = Promise.allSettled(waiting);
    await vi.advanceTimersByTimeAsync(1);
    one.abort();
    await vi.advanceTimersByTimeAsync(1);
    expect(runs[0]?.isWanted()).toBe(true);
    two.abort();
    await ended;
    expect(runs[0]?.isWanted()).toBe(false);
    expect(await shared.join('a', undefined, async () => 'another')).toBe('another');
  });

  test('without progress is done again by the requests that joined it, once for all of them', async () => {
    const shared = newWork();
    void shared.join('a', undefined, () => new Promise<string>(() => undefined));
    await vi.advanceTimersByTimeAsync(1);
    const start = vi.fn(async () => {
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      return 'done';
    });
    const joined = ['a', 'a', 'a'].map((key) => shared.join(key, undefined, start));
    await vi.advanceTimersByTimeAsync(19_000);
    expect(start).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(8_000);
    expect(await Promise.all(joined)).toEqual(['done', 'done', 'done']);
    expect(start).toHaveBeenCalledTimes(1);
  });

  test('that spent its budget is done again by another request; any other error is shared', async () => {
    const shared = newWork();
    const empty = createBudget(0);
    const spending = shared.join('a', undefined, async () => {
      empty.spend();
      return 'never';
    });
    const other = shared.join('a', undefined, async () => 'done');
    await expect(spending).rejects.toThrow('REGSHIFT_SUBREQUESTS');
    expect(await other).toBe('done');
    const failing = ['b', 'b'].map((key) =>
      shared.join(key, undefined, () => Promise.reject(new Error('no'))),
    );
    for (const { status } of await Promise.allSettled(failing)) expect(status).toBe('rejected');
  });
});
