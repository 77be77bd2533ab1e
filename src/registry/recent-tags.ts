import type { LRUCache } from 'lru-cache';
import type { RepositoryName, Tag } from '../../converters/reference.ts';
import { createLru } from '../cache/lru.ts';

const perRepository = 50;

/** Tags that clients requested of this replica lately: a search for a digest begins with them. */
export interface RecentTags {
  record(repository: RepositoryName, tag: Tag): void;
  /** The most recent first. */
  of(repository: RepositoryName): readonly Tag[];
}

export function createRecentTags(): RecentTags {
  const repositories = createLru<RepositoryName, LRUCache<Tag, true>>(1000);
  return {
    record(repository, tag) {
      const tags = repositories.get(repository) ?? createLru<Tag, true>(perRepository);
      tags.set(tag, true);
      repositories.set(repository, tags);
    },
    of: (repository) => [...(repositories.get(repository)?.keys() ?? [])],
  };
}
