import type { RepositoryName } from '../../converters/reference.ts';

/**
 * Counts the writes of clients to each repository. The count is part of the keys of cached facts that a write may
 * change (tags, lists, failed searches). After a write, the facts from before it are not found any more, nor those that
 * were requested before it and arrive after it. Content under its digest does not change.
 *
 * A write whose response is lost, or is a 5xx, may have happened. Everyone can cause one, by leaving. It ends what counts
 * as fresh, and not what stands in while upstream fails.
 *
 * The replicas of a fleet tell each other of certain writes: behind one address, a client that pushed through one replica
 * pulls through another.
 */
export interface RepositoryVersions {
  /** The repository in its present version, for keys. */
  current(repository: RepositoryName): string;
  /** The repository after its last certain write, for keys of facts that outlast a doubtful one. */
  written(repository: RepositoryName): string;
  /** The number of doubtful writes. */
  doubts(repository: RepositoryName): number;
  /** Begins a new version after a write. */
  increment(repository: RepositoryName): void;
  /** Begins a new version after a write that may have happened. */
  doubt(repository: RepositoryName): void;
}

/** Repositories share a few counters, so that their number costs no memory. One that shares asks upstream again. */
export const repositoryCounters = 1024;

/** The certain writes through all replicas of a fleet. All replicas have the same counter for a repository. */
export interface FleetWrites {
  /** Tells the other replicas of a write. */
  tell(counter: number): void;
  /**
   * @param onWrite gets the counter of each write through another replica.
   * @param onGap is called when writes may have been missed.
   */
  listen(onWrite: (counter: number) => void, onGap: () => void): void;
}

/**
 * Creates the counters of a process, which the routes to one registry share.
 * @param fleet absent for a single process, and on a runtime whose processes do not know each other (Workers).
 * @returns the versions of the repositories of one registry.
 */
export function createRepositoryVersions(fleet?: FleetWrites): (registry: string) => RepositoryVersions {
  const writes = new Uint32Array(repositoryCounters);
  const doubtful = new Uint32Array(repositoryCounters);
  const add = (counts: Uint32Array, at: number) => {
    counts[at] = (counts[at] ?? 0) + 1;
  };
  fleet?.listen(
    (at) => add(writes, at),
    () => {
      for (const at of doubtful.keys()) add(doubtful, at);
    },
  );
  return (registry) => {
    const begun = hashed(registry, 0x811c9dc5);
    const counterOf = (repository: RepositoryName) => hashed(repository, begun) % repositoryCounters;
    const written = (repository: RepositoryName) => `${repository}#${writes[counterOf(repository)]}`;
    const doubts = (repository: RepositoryName) => doubtful[counterOf(repository)] ?? 0;
    return {
      current: (repository) => `${written(repository)}.${doubts(repository)}`,
      written,
      doubts,
      increment(repository) {
        const at = counterOf(repository);
        add(writes, at);
        fleet?.tell(at);
      },
      doubt: (repository) => add(doubtful, counterOf(repository)),
    };
  };
}

/** Records a write by what came of it. @returns what `work` returns. */
export async function recorded<T>(
  versions: Pick<RepositoryVersions, 'increment' | 'doubt'>,
  repository: RepositoryName,
  work: () => Promise<T>,
): Promise<T> {
  try {
    const result = await work();
    versions.increment(repository);
    return result;
  } catch (error) {
    versions.doubt(repository);
    throw error;
  }
}

/** FNV-1a with 32 bits (draft-eastlake-fnv). @param hash of what comes before the text. */
function hashed(text: string, hash: number): number {
  let next = hash;
  for (let at = 0; at < text.length; at += 1) {
    next = Math.imul(next ^ text.charCodeAt(at), 0x01000193);
  }
  return next >>> 0;
}
