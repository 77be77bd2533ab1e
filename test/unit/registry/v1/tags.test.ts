import { describe, expect, it } from 'vitest';
import type { Tag } from '../../../../converters/reference.ts';
import { newestFirst } from '../../../../src/registry/v1/tags.ts';

const sorted = (...tags: string[]) => newestFirst(tags as Tag[]);

describe('the newest tags first', () => {
  it.each([
    [
      ['1.9', '1.10', '1.2'],
      ['1.10', '1.9', '1.2'],
    ],
    [
      ['a', 'latest', 'z'],
      ['latest', 'z', 'a'],
    ],
    [
      ['v2', 'v10', 'v1'],
      ['v10', 'v2', 'v1'],
    ],
    [
      ['20240101', '20241231', '20231231'],
      ['20241231', '20240101', '20231231'],
    ],
    [[], []],
  ])('%j', (tags, expected) => {
    expect(sorted(...tags)).toEqual(expected);
  });

  it('are in one order, whatever order upstream lists them in', () => {
    const tags = ['1.0', '01.0', '1.00', 'B', 'b', 'latest', '1.0-rc1', 'LATEST'];
    const expected = sorted(...tags);
    for (let turn = 0; turn < tags.length; turn += 1) {
      tags.push(tags.shift() ?? '');
      expect(sorted(...tags)).toEqual(expected);
    }
  });
});
