import type { Digest } from '../../digest.ts';
import { ConversionError } from '../../errors.ts';
import type { ImageConfig } from '../../image-config.ts';
import type { Image, Layer } from '../../model.ts';

/**
 * Proposal 62: the order of dependencies is not significant, and a target that relies on one must say so itself.
 * The config's diff_ids name plain layers by digest (digest = diffID): those go where they are named, and a plain
 * layer that is used twice may be listed once. Packed layers fill the other places in the order listed, base first.
 * @throws ConversionError INVALID when config and manifest disagree on the layers.
 */
export function inTargetOrder(image: Image, { diffIds }: ImageConfig): Image {
  if (diffIds === undefined) return image;
  const stated = new Set(diffIds);
  const plainOnes = image.dependencies.filter(({ digest }) => stated.has(digest)).map(plain);
  const named = new Map(plainOnes.map((layer) => [layer.digest, layer]));
  const compressed = image.dependencies.filter((layer) => !named.has(layer.digest));
  const places = diffIds.filter((diffId) => !named.has(diffId)).length;
  if (compressed.length !== places) throw otherLayers(image, diffIds);
  const rest = compressed.values();
  const dependencies = diffIds.flatMap((diffId) => named.get(diffId) ?? rest.next().value ?? []);
  return { ...image, dependencies };
}

/** A layer whose digest is one of the diff_ids is plain, whatever else is not known of it. */
function plain(layer: Layer): Layer {
  return layer.compression === 'unknown' ? { ...layer, compression: 'none' } : layer;
}

function otherLayers({ dependencies }: Image, diffIds: readonly Digest[]): ConversionError {
  return new ConversionError({
    code: 'INVALID',
    message: 'The config and the generic manifest disagree on the layers',
    dialect: 'generic',
    path: '$.dependencies',
    found: `${dependencies.length} layers`,
    expected: `the layers of ${diffIds.length} diff_ids`,
  });
}
