import type { Digest } from '../digest.ts';
import { ConversionError } from '../errors.ts';
import { withoutZstd } from '../media-types.ts';
import type { Image, Layer } from '../model.ts';
import { withConfigOf } from './read-config.ts';
import type { ConversionStep, DerivedBlob } from './step.ts';

/**
 * Replaces zstd layers by the tars inside, which the diff_ids name, or by the same tars compressed with gzip (the port
 * `gzipLayer`), if the client cannot decompress zstd. A layer that is only labelled zstd stays, with its true type:
 * engines detect gzip and tar by the first bytes.
 */
export const decompressLayers: ConversionStep = async (prepared, ports, unpackZstd) => {
  if (!unpackZstd || !prepared.image.dependencies.some(isZstd)) return prepared;
  const { image, config, blobs } = await withConfigOf(prepared, ports);
  const dependencies = await Promise.all(
    image.dependencies.map(async (layer, index) => {
      if (!isZstd(layer)) return layer;
      const { diffId, size, packedSize, compression } = await ports.layerFacts(layer);
      checkDiffId(diffId, config.diffIds?.[index], layer);
      if (compression !== 'zstd') {
        return {
          ...layer,
          mediaType: withoutZstd(layer.mediaType, compression),
          size: packedSize,
          compression,
        };
      }
      const gzip = await ports.gzipLayer?.(layer);
      const kept = gzip ? ('gzip' as const) : ('none' as const);
      const mediaType = withoutZstd(layer.mediaType, kept);
      return { ...layer, mediaType, compression: kept, ...(gzip ?? { digest: diffId, size }) };
    }),
  );
  return {
    image: { ...image, dependencies },
    config,
    blobs: [...blobs, ...derivedLayers(image, dependencies)],
  };
};

/** The layers that were replaced as derived blobs: one per digest, in the order of the layers. */
function derivedLayers(before: Image, after: readonly Layer[]): DerivedBlob[] {
  const blobs = before.dependencies.flatMap(({ digest: compressed }, index): DerivedBlob[] => {
    const layer = after[index];
    if (!layer || layer.digest === compressed) return [];
    return [{ kind: 'layer', digest: layer.digest, packed: compressed, size: layer.size ?? 0 }];
  });
  return [...new Map(blobs.map((blob) => [blob.digest, blob])).values()];
}

/** Whether the registry stores the layer compressed with zstd, so that regshift can decompress it. */
export function isZstd(layer: Layer): boolean {
  return layer.compression === 'zstd' && !layer.foreign && !layer.encrypted;
}

function checkDiffId(actual: Digest, stated: Digest | undefined, layer: Layer): void {
  if (stated === undefined || stated === actual) return;
  throw new ConversionError({
    code: 'DIGEST_MISMATCH',
    message: `The layer ${layer.digest} is not what the config says it is, unpacked`,
    path: '$.rootfs.diff_ids',
    found: actual,
    expected: stated,
  });
}
