import { type Digest, isDigest } from '../../converters/digest.ts';
import type { LayerFacts } from '../../converters/ports.ts';
import type { Cache, CacheEntry } from '../cache/cache.ts';
import { joinKey } from '../cache/key.ts';
import type { MemoryBudget } from '../cache/memory-budget.ts';
import type { Budget } from '../request/budget.ts';

/**
 * The known facts of a registry's layers, in memory and in the cache. All repositories and clients of a registry share
 * one entry. Another registry may claim to have any layer, so it has entries of its own. Callers check access rights
 * before they pass the facts on.
 */
export interface KnownFacts {
  get(digest: Digest, budget?: Budget): Promise<LayerFacts | undefined>;
  /** As `get`, of the memory alone. */
  inMemory(digest: Digest): LayerFacts | undefined;
  /** Stores facts, in memory at once. */
  set(digest: Digest, facts: LayerFacts, budget?: Budget): Promise<void>;
}

export interface KnownFactsOptions {
  /** The registry that has the layers: `UpstreamClient.id`. */
  readonly registry: string;
  readonly cache: Cache;
  readonly memory: MemoryBudget;
}

export function createKnownFacts({ registry, cache, memory }: KnownFactsOptions): KnownFacts {
  const remembered = memory.table<LayerFacts>('layer-facts');
  const keyOf = (digest: Digest) => joinKey('layer-facts', registry, digest);
  return {
    inMemory: (digest) => remembered.get(digest),
    async get(digest, budget) {
      const known = remembered.get(digest);
      if (known !== undefined) return known;
      const entry = await cache.get(keyOf(digest), budget);
      const facts = entry && layerFactsFromEntry(entry);
      if (facts !== undefined) remembered.set(digest, facts);
      return facts;
    },
    async set(digest, facts, budget) {
      remembered.set(digest, facts);
      await cache.set(keyOf(digest), { facts: { ...facts }, body: new Uint8Array() }, budget);
    },
  };
}

/** @returns undefined if this version cannot read the entry. */
export function layerFactsFromEntry({ facts }: CacheEntry): LayerFacts | undefined {
  const { compression, packedSize, size, diffId } = facts;
  if (compression !== 'none' && compression !== 'gzip' && compression !== 'zstd') return undefined;
  if (typeof packedSize !== 'number' || typeof size !== 'number' || !isDigest(diffId)) return undefined;
  return { compression, packedSize, size, diffId };
}
