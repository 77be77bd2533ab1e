import { LRUCache } from 'lru-cache';
import type { Cache, CacheEntry } from './cache.ts';

/** What an entry costs beside its key, body and facts: the table's own books, and the objects that hold it. */
const overheadBytes = 768;

/** Between bodies that come and go there is room that the system's allocator cannot fill: measured, half as much. */
const allocated = 3 / 2;

/** A cache in memory, bounded in bytes; the entries used longest ago go first. */
export function createMemoryCache(maximumBytes: number): Cache {
  if (maximumBytes < overheadBytes) return { get: async () => undefined, set: async () => {} };
  const entries = new LRUCache<string, CacheEntry>({
    maxSize: maximumBytes,
    sizeCalculation: (entry, key) =>
      Math.ceil(entry.body.length * allocated) +
      (key.length + JSON.stringify(entry.facts).length) * 2 +
      overheadBytes,
  });
  return {
    atHand: (key) => entries.get(key),
    get: async (key) => entries.get(key),
    set: async (key, entry) => {
      entries.set(key, entry);
    },
  };
}
