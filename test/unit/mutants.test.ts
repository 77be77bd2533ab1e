import { expect, test } from 'vitest';
import { Random } from '../fuzz/random.ts';
import { mutableLines, sampleLines } from '../mutants/sample.ts';

const content = [
  "const word = 'told';",
  'export const isSmall = (size: number) => size < 3;',
  'export const isOdd = (size: number) =>',
  '  size % 2 === 1;',
].join('\n');

test('a line counts the mutants that lie in it whole, without those of excluded kinds', async () => {
  const lines = await mutableLines([{ name: 'a.ts', content }], ['StringLiteral']);
  // `size < 3` becomes true, false, <= and >=, and its function undefined. `size % 2 === 1` becomes true, false, !==
  // and *, and its function has two lines.
  expect(lines).toEqual([
    { file: 'a.ts', line: 2, mutants: 5 },
    { file: 'a.ts', line: 4, mutants: 4 },
  ]);
});

test('a seed picks the same lines again, once each, until they have enough mutants', () => {
  const lines = Array.from({ length: 100 }, (_, at) => ({ file: 'a.ts', line: at + 1, mutants: 2 }));
  const sample = (seed: number, wanted: number) => sampleLines(lines, wanted, new Random(seed));
  expect(sample(7, 21)).toHaveLength(11);
  expect(sample(7, 21)).toEqual(sample(7, 21));
  expect(sample(7, 21)).not.toEqual(sample(8, 21));
  expect(new Set(sample(7, 1000))).toEqual(new Set(lines));
});
