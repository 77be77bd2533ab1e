import fc from 'fast-check';
import { expect, test } from 'vitest';
import { comparedLines, indentedLines } from '../../../../src/http/page/manifest-lines.ts';

test.each([
  ['{"a":1}', ['{', '  "a": 1', '}']],
  ['{"a":[],"b":{}}', ['{', '  "a": [],', '  "b": {}', '}']],
  ['[{"a":"x:{,}\\""},2]', ['[', '  {', '    "a": "x:{,}\\""', '  },', '  2', ']']],
  ['{"a":123456789012345678901,"a":1e3}', ['{', '  "a": 123456789012345678901,', '  "a": 1e3', '}']],
])('%s', (text, lines) => {
  expect(indentedLines(text)).toEqual(lines);
});

test('stands as JSON.stringify writes it, however it came', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      const value: unknown = JSON.parse(text);
      expect(indentedLines(JSON.stringify(value))).toEqual(JSON.stringify(value, null, 2).split('\n'));
    }),
  );
});

test.each([
  ['brackets', '['.repeat(4_000_000)],
  ['escaped quotes', `"${'\\"'.repeat(2_000_000)}`],
  ['a string without an end', `"${'a'.repeat(4_000_000)}\\`],
  ['lines', `[${'1,'.repeat(1_000_000)}1]`],
])('are made of 4 MB in bounded work: %s', (_, text) => {
  const body = new TextEncoder().encode(text);
  const [before, after] = comparedLines(body, body);
  expect(before.length).toBeLessThan(3_010);
  expect(after).toEqual(before);
  expect(before.reduce((sum, line) => sum + line.text.length, 0)).toBeLessThan(1_200_000);
  expect(before.at(-1)?.text).toBe('… the rest is not shown');
});

test('with more differences than are looked for stand without marks', () => {
  const lines = (first: number) => JSON.stringify(Array.from({ length: 1_500 }, (_, at) => first + at));
  const [before, after] = comparedLines(
    new TextEncoder().encode(lines(0)),
    new TextEncoder().encode(lines(9_000)),
  );
  expect(new Set([...before, ...after].map(({ change }) => change))).toEqual(new Set(['same']));
});

test('stand beside each other again after a change', () => {
  const [before, after] = ['{"a":1,"z":0}', '{"b":1,"c":2,"z":0}'].map((text) =>
    new TextEncoder().encode(text),
  );
  const [left, right] = comparedLines(before ?? new Uint8Array(), after ?? new Uint8Array());
  expect(left.map(({ change }) => change)).toEqual(['same', 'removed', 'gap', 'same', 'same']);
  expect(right.map(({ change }) => change)).toEqual(['same', 'added', 'added', 'same', 'same']);
});

test('any text comes out without an end of its own', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const all = indentedLines(text).join('').replace(/\s/g, '');
      expect(all.length).toBeLessThanOrEqual(text.length);
    }),
  );
});
