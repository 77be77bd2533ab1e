import { type Digest, isDigest } from '../../converters/digest.ts';
import type { Compression } from '../../converters/media-types.ts';
import type { CacheEntry } from '../cache/cache.ts';

/** What only reading a layer to its end can tell. It depends on the content alone, so it holds for good. */
export interface InspectedLayer {
  readonly compression: Exclude<Compression, 'unknown'>;
  /** In bytes, as it is stored. */
  readonly packedSize: number;
  /** In bytes, unpacked. */
  readonly size: number;
  /** The sha256 of the unpacked bytes (OCI image-spec 1.1, config.md, "Layer DiffID"). */
  readonly diffId: Digest;
}

/**
 * One entry for all repositories, upstreams and clients: the content is the digest's. Who may hear of it is for
 * callers to find out first.
 */
export function layerFactsKey(digest: Digest): string {
  return `layer-facts ${digest}`;
}

export function entryOfLayerFacts(facts: InspectedLayer): CacheEntry {
  return { facts: { ...facts }, body: new Uint8Array() };
}

/** `undefined` when an entry is not one of this version's. */
export function layerFactsOf({ facts }: CacheEntry): InspectedLayer | undefined {
  const { compression, packedSize: compressedSize, size, diffId } = facts;
  if (compression !== 'none' && compression !== 'gzip' && compression !== 'zstd') return undefined;
  if (typeof compressedSize !== 'number' || typeof size !== 'number' || !isDigest(diffId)) return undefined;
  return { compression, packedSize: compressedSize, size, diffId };
}
