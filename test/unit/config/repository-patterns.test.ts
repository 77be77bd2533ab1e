import { describe, expect, test } from 'vitest';
import { repositoryMatcher } from '../../../src/config/schema.ts';

describe('patterns of repositories', () => {
  test.each([
    ['library/*', 'library/busybox', true],
    ['library/*', 'library/a/b', false],
    ['library/*', 'library', false],
    ['team/**', 'team/a/b', true],
    ['team/**', 'teams/a', false],
    ['**', 'any/thing', true],
    ['a.b', 'axb', false],
    ['a.b', 'a.b', true],
    ['web-*, db', 'web-1', true],
    ['web-*, db', 'db', true],
    ['web-*, db', 'dbx', false],
  ])('%s on %s: %s', (text, name, expected) => {
    expect(repositoryMatcher(text)?.(name)).toBe(expected);
  });

  test.each(['', ' , ', 'a//b', '/a', 'a**', 'A', 'a/(b)+'])('%j is none', (text) => {
    expect(repositoryMatcher(text)).toBeUndefined();
  });
});
