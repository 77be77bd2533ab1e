import type { Budget } from '../request/budget.ts';
import type { Cache, CacheEntry } from './cache.ts';

/** One place of several where entries are kept. */
export interface Tier {
  /** For logs and counters. */
  readonly name: string;
  readonly cache: Cache;
  /** Whether entries of this kind are kept here. */
  readonly keeps: (key: string) => boolean;
  /** Whether it does not answer just now. Absent where nobody can tell. */
  readonly isAway?: () => boolean;
}

/**
 * Several caches as one, the nearest first. What a farther one knows is put into the nearer ones, and what it has
 * lost, again into the farther one; what is new is put into all before `set` ends, because whoever is told a digest
 * may ask another replica for it at once.
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
          const lacking = tiers.slice(tiers.indexOf(tier) + 1).filter((each) => lacks(each, key));
          await put([...missed, ...lacking], key, entry, budget);
          return entry;
        }
        missed.push(tier);
      }
      return undefined;
    },
    lacks: (key) => tiers.some((tier) => lacks(tier, key)),
    set: (key, entry, budget) =>
      put(
        tiers.filter(({ keeps }) => keeps(key)),
        key,
        entry,
        budget,
      ),
  };
}

function lacks({ cache, keeps }: Tier, key: string): boolean {
  return keeps(key) && (cache.lacks?.(key) ?? false);
}

async function put(tiers: readonly Tier[], key: string, entry: CacheEntry, budget?: Budget): Promise<void> {
  await Promise.all(tiers.map(({ cache }) => cache.set(key, entry, budget)));
}
