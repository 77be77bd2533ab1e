import type { TakeTurn } from '../../converters/ports.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Budget } from '../request/budget.ts';
import { type ContentSource, recordSource } from '../request/stats.ts';
import type { Cache, CacheEntry } from './cache.ts';

/** One of several caches that together form a tiered cache. */
export interface Tier {
  /** For logs and metrics. */
  readonly name: string;
  readonly cache: Cache;
  /** Whether the tier stores entries of this kind. */
  readonly accepts: (key: string) => boolean;
  /** Whether the tier is unreachable now. Absent if the runtime cannot know. */
  readonly isAway?: () => boolean;
}

/**
 * Several caches as one, the nearest first. `get` copies an entry into the nearer tiers that miss it, and into the
 * farther tiers that have lost it. `set` ends after all tiers have the entry: a client that learns a digest here may
 * request it from another replica at once.
 */
export function createTieredCache(tiers: readonly Tier[]): Cache {
  return {
    getLocal(key) {
      for (const { cache, accepts } of tiers) {
        const entry = accepts(key) ? cache.getLocal?.(key) : undefined;
        if (entry) return entry;
      }
      return undefined;
    },
    async get(key, budget) {
      const missed: Tier[] = [];
      for (const tier of tiers.filter(({ accepts }) => accepts(key))) {
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
    ...claimsOf(tiers),
    set: (key, entry, budget) =>
      put(
        tiers.filter(({ accepts }) => accepts(key)),
        key,
        entry,
        budget,
      ),
  };
}

/** The claims of the nearest tier that has any. */
function claimsOf(tiers: readonly Tier[]): Pick<Cache, 'claim' | 'release'> {
  const { claim, release } = tiers.find(({ cache }) => cache.claim !== undefined)?.cache ?? {};
  return claim && release ? { claim, release } : {};
}

function lacks({ cache, accepts }: Tier, key: string): boolean {
  return accepts(key) && (cache.lacks?.(key) ?? false);
}

async function put(tiers: readonly Tier[], key: string, entry: CacheEntry, budget?: Budget): Promise<void> {
  await Promise.all(tiers.map(({ cache }) => cache.set(key, entry, budget)));
}

/** A cache whose lookups are counted in the metrics, and recorded in the statistics of the request. */
export function meteredCache(cache: Cache, source: ContentSource, metrics: Metrics): Cache {
  return {
    ...cache,
    async get(key, budget) {
      const entry = await cache.get(key, budget);
      metrics.cacheLookup(source.name, entry !== undefined);
      if (entry) recordSource(budget?.stats, source);
      return entry;
    },
  };
}

/**
 * A cache outside of the process whose entries are checked before use: another version of regshift may have written
 * them, or storage or transport may have damaged them. An entry that fails the check counts as a miss.
 * @param turn waits for a turn to check some bytes: several entries may arrive in one turn of the event loop.
 */
export function validatedCache(
  cache: Cache,
  isIntact: (key: string, entry: CacheEntry) => boolean,
  turn?: TakeTurn,
): Cache {
  return {
    ...cache,
    async get(key, budget) {
      const entry = await cache.get(key, budget);
      await turn?.(entry?.body.length ?? 0);
      return entry && isIntact(key, entry) ? entry : undefined;
    },
  };
}
