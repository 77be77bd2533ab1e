import type { Budget } from '../request/budget.ts';
import type { MemoryBudget } from './memory-budget.ts';

/** A cached value: bytes and facts about them. */
export interface CacheEntry {
  /** JSON values only. */
  readonly facts: Readonly<Record<string, unknown>>;
  readonly body: Uint8Array;
}

/**
 * A cache of immutable content. An entry can disappear at any time, and is never wrong. The cache does not decide who
 * may read an entry.
 * @param budget of the request that uses the cache: each access to a cache outside of memory spends one request of it.
 */
export interface Cache {
  get(key: string, budget?: Budget): Promise<CacheEntry | undefined>;
  set(key: string, entry: CacheEntry, budget?: Budget): Promise<void>;
  /** Reads an entry without I/O. Only caches in memory have this method. */
  getLocal?(key: string): CacheEntry | undefined;
  /**
   * Whether the cache should contain the entry and is not known to: the cache lost its contents, or a write failed.
   * Performs no I/O. Caches that do not lose entries this way omit the method.
   */
  lacks?(key: string): boolean;
  /**
   * Claims the work on an entry that the cache lacks, so that other processes wait for it. A claim ends by itself after
   * `claimMs`. Only caches of several processes have this method.
   * @returns `claimed`, or `taken` while another process has the claim. A cache that is away gives each claim.
   */
  claim?(key: string, budget?: Budget): Promise<'claimed' | 'taken'>;
  /** Ends a claim of this process. */
  release?(key: string): void;
}

/** The life of a claim whose process does not end it, in milliseconds. */
export const claimMs = 5_000;

/** The cache in memory. The entries used longest ago are evicted first. */
export function createMemoryCache(memory: MemoryBudget): Cache {
  const entries = memory.table<CacheEntry>('content');
  return {
    getLocal: entries.get,
    get: async (key) => entries.get(key),
    set: async (key, entry) => entries.set(key, entry),
  };
}
