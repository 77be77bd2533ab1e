import type { RepositoryName } from '../../converters/reference.ts';

/**
 * Counts the writes of clients to each repository. The count is part of the keys of cached facts that a write may
 * change (tags, lists, failed searches). After a write, the facts from before it are not found any more, nor those that
 * were requested before it and arrive after it. Content under its digest does not change.
 */
export interface RepositoryVersions {
  /** The repository in its present version, for keys. */
  current(repository: RepositoryName): string;
  /** Begins a new version. */
  increment(repository: RepositoryName): void;
}

const mostRepositories = 10_000;

export function createRepositoryVersions(): RepositoryVersions {
  const counts = new Map<RepositoryName, number>();
  let all = 0;
  /** The count of repositories that are not in the map. */
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
