import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createMemoryBudget, type MemoryBudget } from '../../../src/cache/memory-budget.ts';
import { allParts, leastBytes, tableNames, tableShares } from '../../../src/cache/table-shares.ts';
import { memoryWith, testMemory } from '../../support/memory.ts';

const name = 'access-grants';
/** More than the table has in any case. */
const limit = 300_000;

function usageOf(memory: MemoryBudget, table: string) {
  const found = memory.usage().find((each) => each.table === table);
  if (found === undefined) throw new Error(`no table ${table}`);
  return found;
}

describe('the shares', () => {
  test('make up the whole, and little more where REGSHIFT_CACHE_BYTES is small', () => {
    const shares = Object.values(tableShares);
    expect(shares.reduce((sum, { parts }) => sum + parts, 0)).toBe(allParts);
    expect(shares.reduce((sum, { least }) => sum + least, 0)).toBe(leastBytes);
    for (const bytes of [0, 1, 1_000_000, 67_108_864, 2 ** 40]) {
      const sum = createMemoryBudget(bytes)
        .usage()
        .reduce((all, each) => all + each.limit, 0);
      expect(sum).toBeLessThanOrEqual(bytes + leastBytes);
    }
  });

  test('of tables that a process does not have go to content', () => {
    const memory = createMemoryBudget(128_000_000, ['responses', 'redis']);
    expect(usageOf(memory, 'content').limit).toBe(1_000_000 * (72 + 16 + 1));
    expect([usageOf(memory, 'responses').limit, usageOf(memory, 'redis').limit]).toEqual([0, 32_768]);
  });

  test('are at least what spares the registry repeated requests, whatever the budget is', () => {
    const memory = createMemoryBudget(0);
    for (const { table, limit: own } of memory.usage()) expect(own).toBe(tableShares[table].least);
    const content = memory.table('content');
    content.set('a', true);
    expect(content.has('a')).toBe(false);
    const grants = memory.table(name);
    grants.set('a', true);
    expect(grants.get('a')).toBe(true);
  });
});

describe('a table', () => {
  test('reports each value that goes, also one whose successor has no room', () => {
    const gone: string[] = [];
    const table = memoryWith(name, limit).table<string>(name, undefined, (value) => gone.push(value));
    table.set('a', 'one');
    table.set('a', 'two');
    expect(gone).toEqual([]);
    table.set('a', 'x'.repeat(limit));
    expect([gone, table.has('a')]).toEqual([['two'], false]);
    table.set('b', 'three');
    table.delete('b');
    expect(gone).toEqual(['two', 'three']);
  });

  test('never takes more than its share, and accounts for each entry that comes and goes', () => {
    const change = fc.record({
      table: fc.nat(2),
      key: fc.nat(60).map((number) => `key ${number}`),
      size: fc.nat(160_000),
      kind: fc.constantFrom('set', 'set', 'set', 'delete', 'clear'),
    });
    const property = fc.property(fc.array(change, { maxLength: 200 }), (changes) => {
      const memory = memoryWith(name, limit);
      const tables = [0, 1, 2].map(() => memory.table<string>(name));
      for (const { table: index, key, size, kind } of changes) {
        const table = tables[index];
        if (kind === 'set') table?.set(key, 'x'.repeat(size));
        if (kind === 'delete') table?.delete(key);
        if (kind === 'clear' && size > 150_000) table?.clear();
        expect(usageOf(memory, name).bytes).toBeLessThanOrEqual(usageOf(memory, name).limit);
      }
      for (const table of tables) table.clear();
      expect(usageOf(memory, name).bytes).toBe(0);
    });
    fc.assert(property, { numRuns: 100 });
  });

  test('loses the entries used longest ago', () => {
    const table = memoryWith(name, limit).table<string>(name);
    for (const key of ['a', 'b']) table.set(key, 'x'.repeat(120_000));
    table.get('a');
    table.peek('b');
    table.set('c', 'x'.repeat(120_000));
    expect(['a', 'b', 'c'].map(table.has)).toEqual([true, false, true]);
  });

  test('does not remember an entry of more than half of its share, nor the one before it', () => {
    const table = memoryWith(name, limit).table<string>(name);
    table.set('other', 'x');
    table.set('a', 'x');
    table.set('a', 'x'.repeat(limit / 2));
    expect([table.get('a'), table.get('other')]).toEqual([undefined, 'x']);
  });

  test('counts long keys', () => {
    const memory = memoryWith(name, limit);
    const table = memory.table<true>(name);
    for (let number = 0; number < 100; number += 1) table.set(`${number} ${'k'.repeat(10_000)}`, true);
    expect(usageOf(memory, name).bytes).toBeGreaterThan(0.9 * limit);
    expect(table.has(`69 ${'k'.repeat(10_000)}`)).toBe(false);
    expect(table.has(`99 ${'k'.repeat(10_000)}`)).toBe(true);
  });

  test('shares its bytes with the tables of its name: the one with the most gives way', () => {
    const memory = memoryWith(name, limit);
    const [quiet, busy] = [memory.table<string>(name), memory.table<string>(name)];
    for (let number = 0; number < 10; number += 1) quiet.set(`${number}`, 'x'.repeat(10_000));
    for (let number = 0; number < 1000; number += 1) busy.set(`${number}`, 'x'.repeat(10_000));
    for (let number = 0; number < 10; number += 1) expect(quiet.has(`${number}`)).toBe(true);
    // A table alone may use all of it.
    for (let number = 0; number < 10; number += 1) quiet.delete(`${number}`);
    for (let number = 0; number < 1000; number += 1) busy.set(`${number}`, 'x'.repeat(10_000));
    expect(usageOf(memory, name).bytes).toBeGreaterThan(0.95 * limit);
  });

  test('takes nothing from tables of other names', () => {
    const memory = testMemory();
    const tables = tableNames.map((each) => memory.table<string>(each));
    for (const table of tables) table.set('a', 'x');
    for (let number = 0; number < 1000; number += 1) tables[0]?.set(`${number}`, 'x'.repeat(100_000));
    expect(tables.map((table) => table.has('a'))).toEqual(tables.map((_, index) => index > 0));
  });
});
