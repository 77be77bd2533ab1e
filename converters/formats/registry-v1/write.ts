import { ConversionError } from '../../errors.ts';
import type { ImageConfig } from '../../image-config.ts';
import { encodeText } from '../../json/lossless-text.ts';
import type { Image, V1Target } from '../../model.ts';
import { emptyLayer } from '../schema1/empty-layer.ts';
import { type V1Image, v1Chain } from '../schema1/v1-chain.ts';
import { v1Steps } from '../schema1/v1-steps.ts';

/**
 * Takes an image apart into v1 images. The ids are those of its schema 1 conversion, so that an image pulled through
 * API v1 and v2 has the same ids. Signatures are not verified here: `convertToRegistryV1` is the way in.
 * @returns newest first, as `/v1/images/<id>/ancestry` lists them.
 * @param config absent for an image that is stored as schema 1.
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

/** The JSON of a v1 image in the bytes that `/v1/images/<id>/json` serves. */
export function v1ImageJson({ json }: V1Image): Uint8Array {
  return encodeText(json);
}
