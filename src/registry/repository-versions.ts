import type { RepositoryName } from '../../converters/reference.ts';

/**
 * Counts what this process has let clients write. The count is part of the keys of what is remembered of a repository
 * as it was at some time (tags, lists, what was not found): a write leaves all of that behind, and what was asked
 * before it and is answered after it too. What has a digest for its key needs none of this.
 */
export interface RepositoryVersions {
  /** The repository in its present state, for keys. */
  current(repository: RepositoryName): string;
  increment(repository: RepositoryName): void;
}

const mostRepositories = 10_000;

export function createRepositoryVersions(): RepositoryVersions {
  const counts = new Map<RepositoryName, number>();
  let all = 0;
  /** The count of those that are not in the map. */
  let rest = 0;
  return {
    current: (repository) => `${repository}#${counts.get(repository) ?? rest}`,
    increment(repository) {
      all += 1;
      if (counts.size >= mostRepositories) {
        counts.clear();
        rest = all;
      }
      counts.set(repository, all);
    },
  };
}
