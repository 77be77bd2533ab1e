import type { Digest } from '../../digest.ts';
import { ConversionError } from '../../errors.ts';
import type { ImageConfig } from '../../image-config.ts';
import type { Image, Layer } from '../../model.ts';

/**
 * Orders the layers of a generic manifest by its config. In proposal 62 the order of dependencies has no meaning; a
 * target that needs an order states it. The diff_ids of the config name uncompressed layers by digest (digest = diffID)
 * and so give their positions; an uncompressed layer that is used twice may be listed once. Compressed layers fill the
 * other positions in the order listed, base first.
 * @returns the image with its layers base first; unchanged if the config has no diff_ids.
 * @throws ConversionError INVALID when config and manifest disagree on the layers.
 */
export function inTargetOrder(image: Image, { diffIds }: ImageConfig): Image {
  if (diffIds === undefined) return image;
  const stated = new Set(diffIds);
  const uncompressed = image.dependencies.filter(({ digest }) => stated.has(digest)).map(asUncompressed);
  const named = new Map(uncompressed.map((layer) => [layer.digest, layer]));
  const compressed = image.dependencies.filter((layer) => !named.has(layer.digest));
  const openPositions = diffIds.filter((diffId) => !named.has(diffId)).length;
  if (compressed.length !== openPositions) throw otherLayers(image, diffIds);
  const rest = compressed.values();
  const dependencies = diffIds.flatMap((diffId) => named.get(diffId) ?? rest.next().value ?? []);
  return { ...image, dependencies };
}

/** A layer whose digest is a diff_id is uncompressed, even if its media type does not state it. */
function asUncompressed(layer: Layer): Layer {
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
