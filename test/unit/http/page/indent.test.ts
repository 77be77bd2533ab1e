import fc from 'fast-check';
import { expect, test } from 'vitest';
import { indentedLines } from '../../../../src/http/page/indent.ts';

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

test('any text comes out without an end of its own', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const all = indentedLines(text).join('').replace(/\s/g, '');
      expect(all.length).toBeLessThanOrEqual(text.length);
    }),
  );
});
