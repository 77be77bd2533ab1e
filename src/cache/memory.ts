import { LRUCache } from 'lru-cache';
import type { Cache, CacheEntry } from './cache.ts';

/** What an entry costs beside its key, body and facts: the table's own books. */
const overheadBytes = 512;

/** A cache in memory, bounded in bytes; the entries used longest ago go first. */
export function createMemoryCache(maximumBytes: number): Cache {
  if (maximumBytes < overheadBytes) return { get: async () => undefined, set: async () => {} };
  const entries = new LRUCache<string, CacheEntry>({
    maxSize: maximumBytes,
    sizeCalculation: (entry, key) =>
      entry.body.length + (key.length + JSON.stringify(entry.facts).length) * 2 + overheadBytes,
  });
  return {
    atHand: (key) => entries.get(key),
    get: async (key) => entries.get(key),
    set: async (key, entry) => {
      entries.set(key, entry);
    },
  };
}
