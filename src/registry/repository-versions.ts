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

/** Repositories share a few counters, so that their number costs no memory. One that shares asks upstream again. */
const counters = 1024;

export function createRepositoryVersions(): RepositoryVersions {
  const counts = new Uint32Array(counters);
  const countOf = (repository: RepositoryName) => counts[counterOf(repository)] ?? 0;
  return {
    current: (repository) => `${repository}#${countOf(repository)}`,
    increment(repository) {
      counts[counterOf(repository)] = countOf(repository) + 1;
    },
  };
}

/** FNV-1a with 32 bits (draft-eastlake-fnv). */
function counterOf(repository: RepositoryName): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < repository.length; at += 1) {
    hash = Math.imul(hash ^ repository.charCodeAt(at), 0x01000193);
  }
  return (hash >>> 0) % counters;
}
