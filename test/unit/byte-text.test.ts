import { expect, test } from 'vitest';
import { bytesPattern, byteText, parseBytes, sizeText } from '../../src/byte-text.ts';

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [99_949, '99.9 kB'],
  [99_950, '100 kB'],
  [999_499, '999 kB'],
  [999_500, '1.0 MB'],
  [12_345_678_901, '12.3 GB'],
])('%i bytes: %s', (bytes, text) => {
  expect(byteText(bytes)).toBe(text);
});

test.each([
  [undefined, 'size unknown'],
  [0, '0 bytes'],
  [1, '1 byte'],
  [9_999, '9,999 bytes'],
  [10_000, '10.0 kB'],
  [9_999_999, '10.0 MB'],
  [1_073_741_824, '1.1 GB'],
])('a content of %s bytes: %s', (bytes, text) => {
  expect(sizeText(bytes)).toBe(text);
});

test.each([
  ['0', true],
  ['10737418240', true],
  ['10GB', true],
  ['10 GiB', true],
  ['1.5kib', true],
  ['7B', true],
  ['10G', false],
  ['1.5', false],
  ['-1', false],
  ['1e9', false],
])('the pattern for editors takes %s as the parser does: %s', (text, isRead) => {
  expect([new RegExp(bytesPattern).test(text), !Number.isNaN(parseBytes(text))]).toEqual([isRead, isRead]);
});
