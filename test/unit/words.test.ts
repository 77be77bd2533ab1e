import { describe, expect, test } from 'vitest';
import { deepFiles, lonelyFiles } from '../support/house/sizes.ts';
import {
  clauseComments,
  commentsIn,
  exportedNames,
  namesThatEnded,
  repeatedNames,
} from '../support/house/words.ts';

describe('comments begin with a noun', () => {
  test('none begins with What, Who, Whoever, Whatever, Whose, Nobody or No one', () => {
    expect(clauseComments()).toEqual([]);
  });

  test('blocks, lines and tags are read', () => {
    const source = [
      '/**',
      ' * The size.',
      ' * @returns Whatever is left.',
      ' */',
      'const url = "https://host/"; // Nobody asks.',
      'const size = 1;',
      '// Two lines',
      '// are one comment.',
    ].join('\n');
    expect(commentsIn('a.ts', source)).toEqual([
      { place: 'a.ts:1', text: 'The size. @returns Whatever is left.' },
      { place: 'a.ts:5', text: 'Nobody asks.' },
      { place: 'a.ts:7', text: 'Two lines are one comment.' },
    ]);
  });
});

describe('exported names', () => {
  test('none is a name that the glossary ended', () => {
    expect(exportedNames().size).toBeGreaterThan(500);
    expect(namesThatEnded()).toEqual([]);
  });

  test('each means one thing in the whole program', () => {
    expect(repeatedNames()).toEqual([]);
  });
});

describe('files', () => {
  test('a file of 30 lines or less has two importers', () => {
    expect(lonelyFiles()).toEqual([]);
  });

  test('no folder is more than three deep', () => {
    expect(deepFiles()).toEqual([]);
  });
});
