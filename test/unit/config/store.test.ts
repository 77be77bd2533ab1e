import { expect, it } from 'vitest';
import { parseStoreAddress } from '../../../src/config/store.ts';

it.each([
  ['file:///var/lib/regshift', '/var/lib/regshift'],
  ['FILE:///var/lib/regshift', '/var/lib/regshift'],
  ['file:/var/lib/regshift', '/var/lib/regshift'],
  ['file:///with%20space', '/with space'],
])('%s is the folder %s', (text, path) => {
  expect(parseStoreAddress(text)).toEqual({ kind: 'file', path });
});

it.each(['file:relative', 'file:./relative', 'file:../relative', 'file:'])(
  'a relative path is refused, and not taken from the root: %s',
  (text) => {
    expect(parseStoreAddress(text)).toEqual({
      problem: 'must have an absolute path, like file:///var/lib/regshift',
    });
  },
);

it.each(['/var/lib/regshift', 'file://var/lib', 'file:///a?b', 'ftp://host/a'])(
  'another form shows the right ones: %s',
  (text) => {
    expect(parseStoreAddress(text)).toEqual({ problem: expect.stringContaining('file:///path/of/a/folder') });
  },
);
