import { expect, test } from 'vitest';
import { byteText, sizeText } from '../../src/byte-text.ts';

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
