import { LRUCache } from 'lru-cache';
import type { Cache, CacheEntry } from './cache.ts';

/**
 * A table that keeps the `most` entries used last. Its memory grows with its contents: lru-cache with a `max` allocates
 * all of it at once, which is 4 MB for all tables of a route, and a proxy may have hundreds of routes.
 */
export function createLru<Key extends {}, Value extends {}>(most: number): LRUCache<Key, Value> {
  return new LRUCache({ maxSize: most, sizeCalculation: () => 1 });
}

/** Memory for one entry beside its key, body and facts: the bookkeeping of the table, and the objects of the entry. */
const overheadBytes = 768;

/** Fragmentation: bodies that come and go leave gaps that the system's allocator cannot fill, measured as half as much. */
const allocationFactor = 3 / 2;

/** A cache in memory, bounded in bytes. The entries used longest ago are evicted first. */
export function createMemoryCache(maximumBytes: number): Cache {
  if (maximumBytes < overheadBytes) return { get: async () => undefined, set: async () => {} };
  const entries = new LRUCache<string, CacheEntry>({
    maxSize: maximumBytes,
    sizeCalculation: (entry, key) =>
      Math.ceil(entry.body.length * allocationFactor) +
      (key.length + JSON.stringify(entry.facts).length) * 2 +
      overheadBytes,
  });
  return {
    getLocal: (key) => entries.get(key),
    get: async (key) => entries.get(key),
    set: async (key, entry) => {
      entries.set(key, entry);
    },
  };
}
