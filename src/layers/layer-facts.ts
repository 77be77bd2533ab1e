import { type Digest, isDigest } from '../../converters/digest.ts';
import type { LayerFacts } from '../../converters/ports.ts';
import type { CacheEntry } from '../cache/cache.ts';

/**
 * The cache key of a layer's facts. All repositories, upstreams and clients share one entry, because the digest
 * determines the content. Callers check access rights before they pass the facts on.
 */
export function layerFactsKey(digest: Digest): string {
  return `layer-facts ${digest}`;
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
