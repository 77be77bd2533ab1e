import type { Bytes } from '../../bytes.ts';
import { ConversionError } from '../../errors.ts';
import type { ImageConfig } from '../../image-config.ts';
import { encodeText } from '../../json/lossless-text.ts';
import type { Image, V1Target } from '../../model.ts';
import { emptyLayer } from '../schema1/empty-layer.ts';
import { type V1Image, v1Chain } from '../schema1/v1-chain.ts';
import { v1Steps } from '../schema1/v1-steps.ts';

/**
 * Splits an image into v1 images. The ids are those of the image's schema 1 conversion, so an image has the same ids
 * through API v1 and v2. This function does not verify signatures; `convertToRegistryV1` does.
 * @returns newest first, as `/v1/images/<id>/ancestry` lists them.
 * @param config `undefined` for an image that is stored as schema 1.
 * @throws ConversionError INEXPRESSIBLE or INVALID.
 */
export function writeRegistryV1(image: Image, config: ImageConfig | undefined): V1Image[] {
  if (image.target.kind === 'v1') return fromSchema1(image, image.target);
  if (config) return v1Chain(config, image.dependencies, 'v1');
  throw new ConversionError({
    code: 'UNAVAILABLE',
    message: 'The config of the image is needed to tell its v1 ids',
    dialect: 'v1',
  });
}

function fromSchema1(image: Image, target: V1Target): V1Image[] {
  const images = v1Steps(target, image.dependencies).map(
    ({ entry, layer }): V1Image => ({
      id: entry.id,
      parent: entry.parent,
      blob: layer?.digest ?? emptyLayer.digest,
      empty: layer === undefined,
      json: entry.document.text,
    }),
  );
  return images.reverse();
}

/** The JSON of a v1 image, as `/v1/images/<id>/json` serves it. */
export function v1ImageJson({ json }: V1Image): Bytes {
  return encodeText(json);
}
