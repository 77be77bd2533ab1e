import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFairQueue } from '../../../src/concurrency/fair-queue.ts';

function drain(queue: { shift(): string | undefined }): string[] {
  const items: string[] = [];
  for (let item = queue.shift(); item !== undefined; item = queue.shift()) items.push(item);
  return items;
}

describe('a fair queue', () => {
  it('serves owners in turn, whatever the number of their items', () => {
    const queue = createFairQueue<string>();
    for (let index = 0; index < 5; index += 1) queue.push(['many'], `many ${index}`);
    queue.push(['one'], 'one');
    queue.push(['two'], 'two 0');
    queue.push(['two'], 'two 1');
    const order = ['many 0', 'one', 'two 0', 'many 1', 'two 1', 'many 2', 'many 3', 'many 4'];
    expect(drain(queue)).toEqual(order);
    expect(queue.size).toBe(0);
  });

  it('is fair at each part of the path: a thousand logins of one address count as one address', () => {
    const queue = createFairQueue<string>();
    for (let index = 0; index < 1_000; index += 1) queue.push(['attacker', `login ${index}`], 'attacker');
    for (let index = 0; index < 3; index += 1) queue.push(['office', 'alice'], 'alice');
    queue.push(['office', 'bob'], 'bob');
    const first = Array.from({ length: 8 }, () => queue.shift());
    expect(first).toEqual(['attacker', 'alice', 'attacker', 'bob', 'attacker', 'alice', 'attacker', 'alice']);
  });

  it('skips an owner whose first item does not fit, and keeps its position', () => {
    const queue = createFairQueue<string>();
    queue.push(['a'], 'large');
    queue.push(['a'], 'small');
    queue.push(['b'], 'small');
    expect(queue.shift((item) => item === 'small')).toBe('small');
    expect(queue.some((item) => item === 'small')).toBe(false);
    expect(drain(queue)).toEqual(['large', 'small']);
  });

  it('removes an item that leaves, and every empty part of its path', () => {
    const queue = createFairQueue<string>();
    const entry = queue.push(['a', 'b'], 'gone');
    queue.push(['c', 'd'], 'stays');
    expect(entry.leave()).toBe(true);
    expect(entry.leave()).toBe(false);
    expect(drain(queue)).toEqual(['stays']);
    expect(entry.leave()).toBe(false);
  });

  it('serves no other owner twice between two items of a waiting owner', () => {
    const owners = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(owners, (pushed) => {
        const queue = createFairQueue<string>();
        for (const owner of pushed) queue.push([owner], owner);
        const served = drain(queue);
        expect(served.toSorted()).toEqual(pushed.toSorted());
        for (const [index, owner] of served.entries()) {
          const next = served.indexOf(owner, index + 1);
          const between = served.slice(index + 1, next === -1 ? served.length : next);
          if (next !== -1) expect(new Set(between).size).toBe(between.length);
        }
      }),
    );
  });
});
