import type { Metrics } from '../observability/metrics.ts';
import { type ContentSource, recordSource } from '../request/stats.ts';
import type { Cache } from './cache.ts';

/** A cache whose answers are counted, and noted in the account of the request that they are for. */
export function meteredCache(cache: Cache, place: ContentSource, metrics: Metrics): Cache {
  return {
    ...cache,
    async get(key, budget) {
      const entry = await cache.get(key, budget);
      metrics.cacheLookup(place.name, entry !== undefined);
      if (entry) recordSource(budget?.stats, place);
      return entry;
    },
  };
}
