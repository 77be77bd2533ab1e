import type { Layer, V1Entry, V1Target } from '../../model.ts';
import { emptyBlobs } from './empty-layer.ts';

/** One entry of a schema 1 manifest with the layer it names; none where it has no content. */
export interface V1Step {
  readonly entry: V1Entry;
  readonly layer: Layer | undefined;
}

/**
 * The entries base first with their layers; of consecutive ones of one id the older alone (moby,
 * distribution/pull_v2.go, fixManifestLayers). Empty are those that are marked so, and those whose blob is known to
 * hold nothing. A `Size` of 0 in the v1 JSON says less: Docker summed the lengths of files there, and a layer that
 * makes a directory or a link, or removes a file, has none.
 * @param layers base first, one an entry.
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
