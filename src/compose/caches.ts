import type { Cache } from '../cache/cache.ts';
import { createMemoryCache } from '../cache/lru.ts';
import { createTieredCache, meteredCache, validatedCache } from '../cache/tiered.ts';
import type { Settings } from '../config/settings.ts';
import { isIntact } from '../registry/cache-entries.ts';
import type { RuntimePlatform } from './platform.ts';

/**
 * Divides REGSHIFT_CACHE_BYTES. The response cache and the content cache each have a part: an image that only the
 * response cache serves may be evicted from the content cache.
 */
export function memoryOf(
  { REGSHIFT_CACHE_BYTES, routes }: Settings,
  { cacheBytes, cachesResponses }: RuntimePlatform,
) {
  const bytes = REGSHIFT_CACHE_BYTES ?? cacheBytes;
  const responseCacheBytes = cachesResponses ? Math.floor(bytes / 8) : 0;
  const ofRoutes = Math.floor(bytes / 8);
  const registryBytes = Math.max(leastRegistryBytes, Math.floor(ofRoutes / routes.length));
  return { responseCacheBytes, registryBytes, contentBytes: bytes - responseCacheBytes - ofRoutes };
}

/** Puts the memory cache in front of the far caches of the runtime, and measures each of them. */
export function cacheOf(contentBytes: number, { tiers = [], metrics }: RuntimePlatform): Cache {
  const own = createMemoryCache(contentBytes);
  const memory = meteredCache(own, { name: 'memory', distance: 0 }, metrics);
  if (tiers.length === 0) return memory;
  const far = tiers.map((tier, index) => {
    const place = { name: tier.name, distance: index + 1 };
    return { ...tier, cache: meteredCache(validatedCache(tier.cache, isIntact), place, metrics) };
  });
  return createTieredCache([{ name: 'memory', cache: memory, accepts: () => true }, ...far]);
}

/** Minimum for one registry, for access grants that are used again within seconds. */
export const leastRegistryBytes = 262_144;
