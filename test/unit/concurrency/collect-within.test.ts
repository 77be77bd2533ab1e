import { describe, expect, it } from 'vitest';
import { collectWithin } from '../../../src/concurrency/collect-within.ts';

const limits = { concurrency: 2, milliseconds: 1000, signal: undefined };
const never = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

describe('gathering', () => {
  it('gives what was found beside what failed', async () => {
    const { found, failed } = await collectWithin([1, 2, 3], limits, async (item) => {
      if (item === 2) throw new Error('no 2');
      return item * 10;
    });
    expect([...found]).toEqual([
      [1, 10],
      [3, 30],
    ]);
    expect([...failed]).toEqual([[2, new Error('no 2')]]);
  });

  it('ends at the deadline with what has come, and stops the rest', async () => {
    const asked: number[] = [];
    let stopped = 0;
    const { found, failed } = await collectWithin(
      [1, 2, 3, 4],
      { ...limits, milliseconds: 20 },
      async (item, signal) => {
        asked.push(item);
        if (item === 1) return 'one';
        return never(signal).catch((reason) => {
          stopped += 1;
          throw reason;
        });
      },
    );
    expect([[...found], [...failed]]).toEqual([[[1, 'one']], []]);
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect([asked, stopped]).toEqual([[1, 2, 3], 2]);
  });

  it('is not changed by what comes after the deadline', async () => {
    const late = Promise.withResolvers<string>();
    const { found } = await collectWithin([1], { ...limits, milliseconds: 5 }, () => late.promise);
    late.resolve('too late');
    await late.promise;
    await Promise.resolve();
    expect(found.size).toBe(0);
  });

  it('asks about nothing more when its caller has gone', async () => {
    const gone = new AbortController();
    const asked: number[] = [];
    const gathering = collectWithin(
      [1, 2, 3],
      { ...limits, concurrency: 1, signal: gone.signal },
      async (item, signal) => {
        asked.push(item);
        gone.abort(new Error('gone'));
        signal.throwIfAborted();
      },
    );
    const { failed } = await gathering;
    expect([asked, [...failed]]).toEqual([[1], [[1, new Error('gone')]]]);
  });
});
