import { describe, expect, it } from 'vitest';
import { bytesPerTurn, createWorkTurns } from '../../../src/concurrency/work-turns.ts';

/** Turns that a test begins by hand, and the works that have begun. */
function turnsByHand() {
  const planned: (() => void)[] = [];
  const begun: string[] = [];
  const turn = createWorkTurns((begin) => planned.push(begin));
  return {
    begun,
    planned,
    async work(name: string, bytes: number) {
      await turn(bytes);
      begun.push(name);
    },
    async next() {
      planned.shift()?.();
      await Promise.resolve();
      await Promise.resolve();
    },
  };
}

describe('work turns', () => {
  it('let work begin at once as long as the turn has room', () => {
    const turn = createWorkTurns(() => undefined);
    expect(turn(bytesPerTurn / 2)).toBeUndefined();
    expect(turn(bytesPerTurn / 2)).toBeUndefined();
    expect(turn(1)).toBeInstanceOf(Promise);
  });

  it('give a document that is larger than a turn a turn for itself', async () => {
    const { begun, work, next } = turnsByHand();
    for (const name of ['a', 'b', 'c']) void work(name, 30 * bytesPerTurn);
    await next();
    expect(begun).toEqual(['a', 'b']);
    await next();
    expect(begun).toEqual(['a', 'b', 'c']);
  });

  it('begin as much work in one turn as it has room for, in the order of the requests', async () => {
    const { begun, work, next } = turnsByHand();
    void work('large', bytesPerTurn);
    for (let number = 0; number < 100; number += 1) void work(String(number), bytesPerTurn / 10);
    await Promise.resolve();
    expect(begun).toEqual(['large']);
    for (let turn = 1; turn <= 10; turn += 1) {
      await next();
      expect(begun).toHaveLength(1 + 10 * turn);
    }
    expect(begun.slice(1)).toEqual(Array.from({ length: 100 }, (_, number) => String(number)));
  });

  it('let no small work overtake a large one that waits', async () => {
    const { begun, work, next } = turnsByHand();
    for (const [name, bytes] of [
      ['a', 100],
      ['large', bytesPerTurn],
      ['b', 100],
    ] as const)
      void work(name, bytes);
    await Promise.resolve();
    expect(begun).toEqual(['a']);
    await next();
    expect(begun).toEqual(['a', 'large']);
    await next();
    expect(begun).toEqual(['a', 'large', 'b']);
  });

  it('plan no turn while there is no work', async () => {
    const { planned, work, next } = turnsByHand();
    await work('a', 1);
    expect(planned).toHaveLength(1);
    await next();
    expect(planned).toHaveLength(0);
  });
});
