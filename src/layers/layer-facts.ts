import { type Digest, isDigest } from '../../converters/digest.ts';
import type { LayerFacts } from '../../converters/ports.ts';
import type { CacheEntry } from '../cache/cache.ts';
import { joinKey } from '../cache/key.ts';

/**
 * The cache key of a layer's facts. All repositories and clients of a registry share one entry. Another registry may
 * claim to have any layer, so it has entries of its own. Callers check access rights before they pass the facts on.
 * @param registry `UpstreamClient.id`.
 */
export function layerFactsKey(registry: string, digest: Digest): string {
  return joinKey('layer-facts', registry, digest);
}

/** The cache entry that stores a layer's facts. */
export function layerFactsToEntry(facts: LayerFacts): CacheEntry {
  return { facts: { ...facts }, body: new Uint8Array() };
}

/** @returns undefined if this version cannot read the entry. */
export function layerFactsFromEntry({ facts }: CacheEntry): LayerFacts | undefined {
  const { compression, packedSize, size, diffId } = facts;
  if (compression !== 'none' && compression !== 'gzip' && compression !== 'zstd') return undefined;
  if (typeof packedSize !== 'number' || typeof size !== 'number' || !isDigest(diffId)) return undefined;
  return { compression, packedSize, size, diffId };
}
