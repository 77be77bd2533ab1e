import type { RepositoryName, Tag } from '../../converters/reference.ts';
import type { MemoryBudget } from '../cache/memory-budget.ts';
import { ownText } from '../cache/memory-bytes.ts';

const perRepository = 50;

/** Tags that clients requested of this replica lately: a search for a digest begins with them. */
export interface RecentTags {
  record(repository: RepositoryName, tag: Tag): void;
  /** The most recent first. */
  of(repository: RepositoryName): readonly Tag[];
}

export function createRecentTags(memory: MemoryBudget): RecentTags {
  const repositories = memory.table<readonly Tag[]>('recent-tags');
  return {
    record(repository, tag) {
      const tags = repositories.get(repository) ?? [];
      if (tags[0] === tag) return;
      const others = tags.filter((each) => each !== tag).slice(0, perRepository - 1);
      // The tag may be a part of a long URL or list.
      repositories.set(repository, [ownText(tag), ...others]);
    },
    of: (repository) => repositories.get(repository) ?? [],
  };
}
