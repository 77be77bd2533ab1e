import type { Cache } from '../cache/cache.ts';
import { createMemoryCache } from '../cache/memory.ts';
import { meteredCache } from '../cache/metered.ts';
import { createTieredCache } from '../cache/tiered.ts';
import { validatedCache } from '../cache/validated.ts';
import type { Settings } from '../config/settings.ts';
import { isIntact } from '../registry/cache-entries.ts';
import type { RuntimePlatform } from './platform.ts';

/**
 * Divides REGSHIFT_CACHE_BYTES: an eighth for whole responses (Node only), an eighth for the registries of all routes,
 * the rest for content. The response cache has its own part because it keeps content that the content cache may have
 * dropped: requests that it answers do not reach the content cache.
 */
export function memoryOf(
  { REGSHIFT_CACHE_BYTES, routes }: Settings,
  { cacheBytes, holdsAnswers }: RuntimePlatform,
) {
  const bytes = REGSHIFT_CACHE_BYTES ?? cacheBytes;
  const responseCacheBytes = holdsAnswers ? Math.floor(bytes / 8) : 0;
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
  return createTieredCache([{ name: 'memory', cache: memory, keeps: () => true }, ...far]);
}

/** Least memory for the proofs of one registry, in bytes, even if REGSHIFT_CACHE_BYTES is smaller. */
export const leastRegistryBytes = 262_144;
