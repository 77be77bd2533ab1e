import type { Cache, CacheEntry } from './cache.ts';

/**
 * A cache outside of the process, whose entries are looked at before they are used: another version may have written
 * them, or what carried them may have spoilt them. What does not pass is as good as lost.
 */
export function validatedCache(cache: Cache, isIntact: (key: string, entry: CacheEntry) => boolean): Cache {
  return {
    ...cache,
    async get(key, budget) {
      const entry = await cache.get(key, budget);
      return entry && isIntact(key, entry) ? entry : undefined;
    },
  };
}
