import type { Digest } from '../digest.ts';
import type { ImageConfig } from '../image-config.ts';
import type { Image, Layer } from '../model.ts';

/**
 * Proposal 62: the order of dependencies is not significant, and a target that relies on one must say so itself.
 * Where the config's diff_ids name the layers by digest (plain layers: digest = diffID), the config orders them,
 * and a layer used twice may be listed once. Otherwise the list's order holds, base first.
 */
export function inTargetOrder(image: Image, config: ImageConfig): Image {
  if (image.source.dialect !== 'generic' || config.diffIds === undefined) return image;
  const byDigest = new Map<Digest, Layer>(image.dependencies.map((layer) => [layer.digest, layer]));
  const ordered = config.diffIds.flatMap((diffId) => byDigest.get(diffId) ?? []);
  const complete = ordered.length === config.diffIds.length && new Set(ordered).size === byDigest.size;
  if (!complete || ordered.length === 0) return withPlain(image, config.diffIds);
  return withPlain({ ...image, dependencies: ordered }, config.diffIds);
}

/** A layer whose digest is one of the diff_ids is plain, whatever else is not known of it. */
function withPlain(image: Image, diffIds: readonly Digest[]): Image {
  const plain = new Set(diffIds);
  const dependencies = image.dependencies.map((layer) =>
    layer.compression === 'unknown' && plain.has(layer.digest)
      ? { ...layer, compression: 'none' as const }
      : layer,
  );
  return { ...image, dependencies };
}
