import { expect, it } from 'vitest';
import { readBytesOption } from '../../../src/cli/option-values.ts';

it.each([
  ['0', 0],
  ['500', 500],
  ['10GB', 10_000_000_000],
  ['10GiB', 10 * 2 ** 30],
  ['10 gib', 10 * 2 ** 30],
  ['1.5KiB', 1_536],
  ['2tb', 2_000_000_000_000],
  ['7B', 7],
])('%s is %i bytes', (text, bytes) => {
  expect(readBytesOption(text)).toBe(bytes);
});

it.each(['', 'all', '-1', '1.5', '1e3', '10G', '10 G iB', '0x10', '9007199254740993', '99999TiB'])(
  '"%s" is no number of bytes',
  (text) => {
    expect(() => readBytesOption(text)).toThrow('like 10GB or 10GiB');
  },
);
