import { describe, expect, it } from 'vitest';
import { collectWithin } from '../../../src/concurrency/collect-within.ts';
import { settled } from '../../support/settled.ts';

const limits = { concurrency: 2, milliseconds: 1000, signal: undefined };
const never = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

describe('collectWithin', () => {
  it('returns results and errors', async () => {
    const { results, errors } = await collectWithin([1, 2, 3], limits, async (item) => {
      if (item === 2) throw new Error('no 2');
      return item * 10;
    });
    expect([...results]).toEqual([
      [1, 10],
      [3, 30],
    ]);
    expect([...errors]).toEqual([[2, new Error('no 2')]]);
  });

  it('ends at the deadline with the results so far, and aborts the rest', async () => {
    const started: number[] = [];
    let stopped = 0;
    const { results, errors } = await collectWithin(
      [1, 2, 3, 4],
      { ...limits, milliseconds: 20 },
      async (item, signal) => {
        started.push(item);
        if (item === 1) return 'one';
        return never(signal).catch((reason) => {
          stopped += 1;
          throw reason;
        });
      },
    );
    expect([[...results], [...errors]]).toEqual([[[1, 'one']], []]);
    await settled();
    expect([started, stopped]).toEqual([[1, 2, 3], 2]);
  });

  it('ignores results after the deadline', async () => {
    const late = Promise.withResolvers<string>();
    const { results } = await collectWithin([1], { ...limits, milliseconds: 5 }, () => late.promise);
    late.resolve('too late');
    await late.promise;
    await Promise.resolve();
    expect(results.size).toBe(0);
  });

  it('starts no more work after its caller has left', async () => {
    const leaving = new AbortController();
    const started: number[] = [];
    const collected = collectWithin(
      [1, 2, 3],
      { ...limits, concurrency: 1, signal: leaving.signal },
      async (item, signal) => {
        started.push(item);
        leaving.abort(new Error('gone'));
        signal.throwIfAborted();
      },
    );
    const { errors } = await collected;
    expect([started, [...errors]]).toEqual([[1], [[1, new Error('gone')]]]);
  });
});
