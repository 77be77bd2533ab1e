import { getEventListeners } from 'node:events';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { isDeadline, waitFor, withDeadline } from '../../../src/concurrency/deadline.ts';
import { createSingleFlight } from '../../../src/concurrency/single-flight.ts';

const never = new Promise<never>(() => {});

describe('withDeadline', () => {
  it("tells its own deadline from the caller's abort", async () => {
    const aborter = new AbortController();
    const seen: boolean[] = [];
    const work = (signal: AbortSignal) => waitFor(never, signal).catch(() => seen.push(isDeadline(signal)));
    await withDeadline(10, undefined, work);
    const aborted = withDeadline(10_000, aborter.signal, work);
    aborter.abort();
    await aborted;
    expect(seen).toEqual([true, false]);
  });
});

describe('waitFor', () => {
  it.each([
    ['done', () => Promise.resolve()],
    ['failed', () => Promise.reject(new Error('no'))],
  ])('leaves no listener and no timer behind when %s', async (_, work) => {
    const { signal } = new AbortController();
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const patience = { milliseconds: 10, late: () => new Error('late') };
    await waitFor(work(), signal, patience).catch(() => undefined);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('ends with the error of its patience, and with the reason of an earlier abort', async () => {
    const aborter = new AbortController();
    const late = () => new Error('late');
    await expect(waitFor(never, aborter.signal, { milliseconds: 5, late })).rejects.toThrow('late');
    expect(getEventListeners(aborter.signal, 'abort')).toEqual([]);
    const wait = waitFor(never, aborter.signal, { milliseconds: 10_000, late });
    aborter.abort(new Error('left'));
    await expect(wait).rejects.toThrow('left');
    await expect(waitFor(Promise.resolve(1), aborter.signal)).rejects.toThrow('left');
  });
});

describe('createSingleFlight', () => {
  it('leaves no unhandled rejection after all requests have left', async () => {
    const aborter = new AbortController();
    const start = () => {
      aborter.abort();
      return Promise.reject(new Error('no request waits for this'));
    };
    const flights = createSingleFlight<never>(1000, () => undefined);
    const late = () => new Error('late');
    await expect(flights.join({ key: 'k', start, late }, aborter.signal)).rejects.toMatchObject({
      name: 'AbortError',
    });
    // Node reports an unhandled rejection after the microtasks; vitest then fails the run.
    await new Promise((resolve) => setTimeout(resolve, 10));
  });
});
