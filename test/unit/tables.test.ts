import { expect, test } from 'vitest';
import { program } from '../support/house/sources.ts';
import { boundedCollections, uncountedTables } from '../support/house/tables.ts';

test('all that outlives a request is in a table of the memory budget, or has another bound', () => {
  expect(program.length).toBeGreaterThan(200);
  expect(uncountedTables()).toEqual([]);
});

test('a file with such a bound exists', () => {
  expect(Object.keys(boundedCollections).filter((file) => !program.includes(file))).toEqual([]);
});
