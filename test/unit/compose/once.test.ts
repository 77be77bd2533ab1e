import { expect, it } from 'vitest';
import { once } from '../../../src/compose/once.ts';

it('a value is made once, and a failure is not kept', async () => {
  let made = 0;
  const value = once(async () => {
    made += 1;
    if (made === 1) throw new Error('not yet');
    return made;
  });
  await expect(value()).rejects.toThrow('not yet');
  expect([await value(), await value()]).toEqual([2, 2]);
});

it('no request waits for the work of another, and all get one value', async () => {
  const works: PromiseWithResolvers<number>[] = [];
  const value = once(() => {
    const work = Promise.withResolvers<number>();
    works.push(work);
    return work.promise;
  });
  const [first, second, third] = [value(), value(), value()];
  works[1]?.resolve(2);
  expect(await second).toBe(2);
  works[0]?.resolve(1);
  works[2]?.resolve(3);
  expect([await first, await third, await value()]).toEqual([2, 2, 2]);
});
