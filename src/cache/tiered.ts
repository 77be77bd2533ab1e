import type { Budget } from '../budget.ts';
import type { Cache, CacheEntry } from './cache.ts';

/** One place of several where entries are kept. */
export interface Tier {
  /** For logs. */
  readonly name: string;
  readonly cache: Cache;
  /** Whether entries of this kind are kept here. */
  readonly keeps: (key: string) => boolean;
}

/**
 * Several caches as one, the nearest first. What a farther one knows is put into the nearer ones; what is new is put
 * into all before `set` ends, because whoever is told a digest may ask another replica for it at once.
 */
export function createTieredCache(tiers: readonly Tier[]): Cache {
  return {
    atHand(key) {
      for (const { cache, keeps } of tiers) {
        const entry = keeps(key) ? cache.atHand?.(key) : undefined;
        if (entry) return entry;
      }
      return undefined;
    },
    async get(key, budget) {
      const missed: Tier[] = [];
      for (const tier of tiers.filter(({ keeps }) => keeps(key))) {
        const entry = await tier.cache.get(key, budget);
        if (entry) {
          await put(missed, key, entry, budget);
          return entry;
        }
        missed.push(tier);
      }
      return undefined;
    },
    set: (key, entry, budget) =>
      put(
        tiers.filter(({ keeps }) => keeps(key)),
        key,
        entry,
        budget,
      ),
  };
}

async function put(tiers: readonly Tier[], key: string, entry: CacheEntry, budget?: Budget): Promise<void> {
  await Promise.all(tiers.map(({ cache }) => cache.set(key, entry, budget)));
}
