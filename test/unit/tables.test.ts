import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { allParts, leastBytes, tableShares } from '../../src/cache/table-shares.ts';
import { program, root } from '../support/house/sources.ts';
import { boundedCollections, uncountedTables } from '../support/house/tables.ts';

test('all that outlives a request is in a table of the memory budget, or has another bound', () => {
  expect(program.length).toBeGreaterThan(200);
  expect(uncountedTables()).toEqual([]);
});

test('a file with such a bound exists', () => {
  expect(Object.keys(boundedCollections).filter((file) => !program.includes(file))).toEqual([]);
});

test('docs/operations.md has the share of each table', () => {
  const text = readFileSync(join(root, 'docs/operations.md'), 'utf8');
  const rows = [...text.matchAll(/^\| `([a-z0-9-]+)` \| [^|]+ \| (\d+)\/(\d+) \|(?: (\d+) KiB)? \|$/gm)];
  const documented = rows.map(([, table, parts, all, least = '0']) => [
    table,
    Number(parts),
    Number(all),
    Number(least),
  ]);
  const shares = Object.entries(tableShares).map(([table, { parts, least }]) => [
    table,
    parts,
    allParts,
    least / 1024,
  ]);
  expect(documented).toEqual(shares);
  expect(text).toContain(`at most ${leastBytes / 2 ** 20} MiB more`);
});
