import type { LRUCache } from 'lru-cache';
import type { RepositoryName, Tag } from '../../converters/reference.ts';
import { createBounded } from '../cache/lru.ts';

const perRepository = 50;

/** The tags that this replica answered lately: where a digest that it gave out is found first. */
export interface ServedTags {
  note(repository: RepositoryName, tag: Tag): void;
  /** The latest first. */
  of(repository: RepositoryName): readonly Tag[];
}

export function createServedTags(): ServedTags {
  const repositories = createBounded<RepositoryName, LRUCache<Tag, true>>(1000);
  return {
    note(repository, tag) {
      const tags = repositories.get(repository) ?? createBounded<Tag, true>(perRepository);
      tags.set(tag, true);
      repositories.set(repository, tags);
    },
    of: (repository) => [...(repositories.get(repository)?.keys() ?? [])],
  };
}
