import type { ConversionContext } from '../conversion.ts';
import { imageConversions } from '../conversion-graph.ts';
import { writeRegistryV1 } from '../formats/registry-v1/write.ts';
import type { V1Image } from '../formats/schema1/v1-chain.ts';
import { lossesOfImage } from '../losses.ts';
import type { Image, Loss } from '../model.ts';
import type { DerivedBlob } from '../steps/step.ts';
import { lostHistory, lostInto, prepareImage } from './convert-image.ts';

/** An image in the form of registry API v1, which has no manifest. */
export interface ConvertedV1 {
  /** Newest first, as `/v1/images/<id>/ancestry` lists their ids. */
  readonly images: readonly V1Image[];
  readonly losses: readonly Loss[];
  /** Layers that the images name and upstream does not know. */
  readonly blobs: readonly DerivedBlob[];
}

/**
 * Takes one image apart into v1 images, with the ids of its schema 1 conversion.
 * @throws ConversionError when the form cannot carry it, or what is stored is broken; or what a port throws.
 */
export async function convertToRegistryV1(image: Image, context: ConversionContext): Promise<ConvertedV1> {
  const prepared = await prepareImage(image, 'v1', context);
  const lost = lostInto(imageConversions.v1, image);
  return {
    images: writeRegistryV1(prepared.image, prepared.config),
    losses: [...lossesOfImage(image, lost), ...lostHistory(prepared, lost)],
    blobs: prepared.blobs,
  };
}
