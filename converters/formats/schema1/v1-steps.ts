import type { Layer, V1Entry, V1Target } from '../../model.ts';
import { emptyBlobs } from './empty-layer.ts';

/** One entry of a schema 1 manifest with its layer, or `undefined` if the entry has no content. */
export interface V1Step {
  readonly entry: V1Entry;
  readonly layer: Layer | undefined;
}

/**
 * Pairs the entries with their layers. Of consecutive entries with the same id only the older one stays (moby,
 * distribution/pull_v2.go, fixManifestLayers). An entry has no content if it is marked so, or if its blob is known to
 * be empty. A `Size` of 0 in the v1 JSON does not prove that: Docker summed the lengths of files, and a layer that only
 * makes a directory or a link, or removes a file, has size 0 too.
 * @param layers base first, one per entry.
 * @returns base first.
 */
export function v1Steps(target: V1Target, layers: readonly Layer[]): V1Step[] {
  const entries = target.entries.toReversed();
  return entries.flatMap((entry, index): V1Step[] => {
    if (entries[index - 1]?.id === entry.id) return [];
    const layer = layers[index];
    const empty = entry.throwaway || (layer !== undefined && emptyBlobs.has(layer.digest));
    return [{ entry, layer: empty ? undefined : layer }];
  });
}
