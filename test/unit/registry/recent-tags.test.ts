import { expect, test } from 'vitest';
import type { RepositoryName, Tag } from '../../../converters/reference.ts';
import { createRecentTags } from '../../../src/registry/recent-tags.ts';
import { testMemory } from '../../support/memory.ts';

const repository = 'team/app' as RepositoryName;

test('the most recent tags come first, each once, and fifty of a repository', () => {
  const tags = createRecentTags(testMemory());
  for (const tag of ['a', 'b', 'c', 'a', 'a']) tags.record(repository, tag as Tag);
  expect(tags.of(repository)).toEqual(['a', 'c', 'b']);
  expect(tags.of('team/other' as RepositoryName)).toEqual([]);
  for (let number = 0; number < 60; number += 1) tags.record(repository, `v${number}` as Tag);
  expect(tags.of(repository)).toEqual(Array.from({ length: 50 }, (_, index) => `v${59 - index}`));
});
