import { describe, expect, it } from 'vitest';
import { createSingleFlight } from '../../../src/concurrency/single-flight.ts';
import { type Budget, createBudget } from '../../../src/request/budget.ts';

const late = () => new Error('late');
const nothing = () => undefined;

describe('work that several wait for', () => {
  it('goes on when the request that began it is over', async () => {
    const kept: Promise<unknown>[] = [];
    const flights = createSingleFlight<string>(1000, (work) => kept.push(work));
    const start = () => Promise.resolve('done');
    await Promise.all([
      flights.join({ key: 'k', start, late }, undefined),
      flights.join({ key: 'k', start, late }, undefined),
    ]);
    expect(kept).toHaveLength(1);
  });

  it('that failed of what its beginner may ask is begun again by who may ask more', async () => {
    const flights = createSingleFlight<string>(1000, nothing);
    let begun = 0;
    const join = (budget: Budget) =>
      flights.join(
        {
          key: 'k',
          late,
          start: async () => {
            begun += 1;
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
    expect(begun).toBe(2);
  });

  it('that failed of anything else has failed for all', async () => {
    const flights = createSingleFlight<string>(1000, nothing);
    let begun = 0;
    const start = async () => {
      begun += 1;
      await Promise.resolve();
      throw new Error('no');
    };
    const joined = [1, 2, 3].map(() => flights.join({ key: 'k', start, late }, undefined));
    for (const each of joined) await expect(each).rejects.toThrow('no');
    expect(begun).toBe(1);
  });
});
