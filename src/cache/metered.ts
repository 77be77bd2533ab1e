import type { Meter } from '../observability/metrics.ts';
import { cameFrom, type PlaceOfContent } from '../request/stats.ts';
import type { Cache } from './cache.ts';

/** A cache whose answers are counted, and noted in the account of the request that they are for. */
export function watched(cache: Cache, place: PlaceOfContent, meter: Meter): Cache {
  return {
    ...cache,
    async get(key, budget) {
      const entry = await cache.get(key, budget);
      meter.cacheAsked(place.name, entry !== undefined);
      if (entry) cameFrom(budget?.account, place);
      return entry;
    },
  };
}
