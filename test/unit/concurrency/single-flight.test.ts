import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createSingleFlight } from '../../../src/concurrency/single-flight.ts';
import { RegistryError } from '../../../src/errors.ts';
import { type Budget, createBudget } from '../../../src/request/budget.ts';

const late = () => new Error('late');
const nothing = () => undefined;

describe('work that several requests wait for', () => {
  it('goes on after the request that started it has ended', async () => {
    const kept: Promise<unknown>[] = [];
    const flights = createSingleFlight<string>(1000, (work) => kept.push(work));
    const start = () => Promise.resolve('done');
    await Promise.all([
      flights.join({ key: 'k', start, late }, undefined),
      flights.join({ key: 'k', start, late }, undefined),
    ]);
    expect(kept).toHaveLength(1);
  });

  it('whose result does not suit a request that joined it is done once more, for all such requests', async () => {
    const flights = createSingleFlight<number>(1000, nothing);
    let starts = 0;
    const start = async () => {
      starts += 1;
      const result = starts;
      await Promise.resolve();
      return result;
    };
    const join = (suits?: (result: number) => boolean) =>
      flights.join({ key: 'k', start, late, ...(suits ? { suits } : {}) }, undefined);
    const never = () => false;
    // The request that started the work gets its result in any case.
    const results = await Promise.all([join(never), join(), join((found) => found > 1), join(never)]);
    expect(results).toEqual([1, 1, 2, 2]);
    expect(starts).toBe(2);
  });

  it('that failed on the budget of one request is started again by a request with budget left', async () => {
    const flights = createSingleFlight<string>(1000, nothing);
    let starts = 0;
    const join = (budget: Budget) =>
      flights.join(
        {
          key: 'k',
          late,
          start: async () => {
            starts += 1;
            await Promise.resolve();
            budget.spend();
            return 'found';
          },
        },
        undefined,
      );
    const poor = join(createBudget(0));
    const rich = [join(createBudget(1)), join(createBudget(1))];
    await expect(poor).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    expect(await Promise.all(rich)).toEqual(['found', 'found']);
    expect(starts).toBe(2);
  });

  it('that failed for another reason has failed for all', async () => {
    const flights = createSingleFlight<string>(1000, nothing);
    let starts = 0;
    const start = async () => {
      starts += 1;
      await Promise.resolve();
      throw new Error('no');
    };
    const joined = [1, 2, 3].map(() => flights.join({ key: 'k', start, late }, undefined));
    for (const each of joined) await expect(each).rejects.toThrow('no');
    expect(starts).toBe(1);
  });

  it('that uses its signal is aborted when all requests have left, and started again for the next one', async () => {
    const flights = createSingleFlight<string>(1000, nothing);
    const signals: AbortSignal[] = [];
    const start = (abandoned: () => AbortSignal) => {
      signals.push(abandoned());
      return new Promise<string>(() => undefined);
    };
    const leaving = [new AbortController(), new AbortController()];
    const joined = leaving.map(({ signal }) => flights.join({ key: 'k', start, late }, signal));
    leaving[0]?.abort(new Error('left'));
    await expect(joined[0]).rejects.toThrow('left');
    expect(signals[0]?.aborted).toBe(false);
    leaving[1]?.abort(new Error('left'));
    await expect(joined[1]).rejects.toThrow('left');
    expect(signals[0]?.aborted).toBe(true);
    void flights.join({ key: 'k', start, late }, undefined).catch(nothing);
    expect(signals).toHaveLength(2);
  });

  it('that does not use its signal goes on when all requests have left, and the next one joins it', async () => {
    const flights = createSingleFlight<string>(1000, nothing);
    const { promise, resolve } = Promise.withResolvers<string>();
    let starts = 0;
    const start = () => {
      starts += 1;
      return promise;
    };
    const leaving = new AbortController();
    const left = flights.join({ key: 'k', start, late }, leaving.signal);
    leaving.abort(new Error('left'));
    await expect(left).rejects.toThrow('left');
    const next = flights.join({ key: 'k', start, late }, undefined);
    resolve('found');
    expect(await next).toBe('found');
    expect(starts).toBe(1);
  });

  it('that has ended is not aborted', async () => {
    const flights = createSingleFlight<string>(1000, nothing);
    let signal: AbortSignal | undefined;
    const start = async (abandoned: () => AbortSignal) => {
      signal = abandoned();
      return 'found';
    };
    expect(await flights.join({ key: 'k', start, late }, undefined)).toBe('found');
    expect(signal?.aborted).toBe(false);
  });
});

it('work that runs for too long is joined by no further request, and those that have joined it begin newer work', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const flights = createSingleFlight<string>(60_000, nothing);
  const ends: ((value: string) => void)[] = [];
  const start = () => new Promise<string>((resolve) => ends.push(resolve));
  const join = () => flights.join({ key: 'k', start, late }, undefined);
  const first = join();
  await vi.advanceTimersByTimeAsync(29_000);
  const second = join();
  expect(ends).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1_001);
  expect(ends).toHaveLength(2);
  const third = join();
  await vi.advanceTimersByTimeAsync(0);
  expect(ends).toHaveLength(2);
  ends[1]?.('anew');
  expect(await Promise.all([second, third])).toEqual(['anew', 'anew']);
  ends[0]?.('late');
  expect(await first).toBe('late');
});

it('the older work counts for those that have joined it, where it ends first', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const flights = createSingleFlight<string>(60_000, nothing);
  const ends: PromiseWithResolvers<string>[] = [];
  const start = () => {
    const end = Promise.withResolvers<string>();
    ends.push(end);
    return end.promise;
  };
  const join = () => flights.join({ key: 'k', start, late }, undefined);
  const [first, second] = [join(), join()];
  await vi.advanceTimersByTimeAsync(31_000);
  expect(ends).toHaveLength(2);
  ends[1]?.reject(new Error('the newer one fails'));
  await vi.advanceTimersByTimeAsync(1_000);
  ends[0]?.resolve('found');
  expect(await Promise.all([first, second])).toEqual(['found', 'found']);
});

it('callers whose patience ends start no other work', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const flights = createSingleFlight<string>(1000, nothing);
  const tooLate = () => new RegistryError('UPSTREAM_TIMEOUT', 'late');
  let starts = 0;
  const start = () => {
    starts += 1;
    return new Promise<string>(() => undefined);
  };
  const joined = ['a', 'b', 'c'].map((credential) =>
    flights.join({ key: 'k', credential, start, late: tooLate }, undefined).catch((error: Error) => error),
  );
  await vi.advanceTimersByTimeAsync(1_001);
  expect((await Promise.all(joined)).map(String)).toEqual(Array(3).fill('RegistryError: late'));
  expect(starts).toBe(1);
});

it('a result that does not suit comes too late for a caller whose patience is over', async () => {
  const flights = createSingleFlight<string>(40, nothing);
  let starts = 0;
  const start = () => {
    starts += 1;
    return new Promise<string>((resolve) => setTimeout(resolve, 30, 'old'));
  };
  const first = flights.join({ key: 'k', start, late }, undefined);
  const second = flights.join(
    {
      ...{ key: 'k', start, late },
      suits: () => {
        const until = Date.now() + 30;
        while (Date.now() < until);
        return false;
      },
    },
    undefined,
  );
  await expect(second).rejects.toThrow('late');
  expect(await first).toBe('old');
  expect(starts).toBe(1);
});
