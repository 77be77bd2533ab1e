import type { ConversionContext } from '../conversion.ts';
import { imageConversions } from '../conversion-graph.ts';
import { writeRegistryV1 } from '../formats/registry-v1/write.ts';
import type { V1Image } from '../formats/schema1/v1-chain.ts';
import { lossesOfImage } from '../losses.ts';
import type { Image, Loss } from '../model.ts';
import type { DerivedBlob } from '../steps/step.ts';
import { lostHistory, lostKinds, prepareImage } from './convert-image.ts';

/** An image converted to registry API v1, which has no manifests. */
export interface ConvertedV1 {
  /** The v1 images, newest first, as `/v1/images/<id>/ancestry` lists their ids. */
  readonly images: readonly V1Image[];
  readonly losses: readonly Loss[];
  /** Layers that the v1 images name and that upstream does not have. */
  readonly blobs: readonly DerivedBlob[];
}

/**
 * Splits one image into v1 images. Their ids are those of the image's schema 1 conversion.
 * @throws ConversionError when registry API v1 cannot hold the image, or the stored content is invalid.
 * @throws any error of a port, unchanged.
 */
export async function convertToRegistryV1(image: Image, context: ConversionContext): Promise<ConvertedV1> {
  const prepared = await prepareImage(image, 'v1', context);
  const lost = lostKinds(imageConversions.v1, image);
  await context.ports.turn?.(image.source.bytes.length + (prepared.config?.bytes.length ?? 0));
  return {
    images: writeRegistryV1(prepared.image, prepared.config),
    losses: [...lossesOfImage(image, lost), ...lostHistory(prepared, lost)],
    blobs: prepared.blobs,
  };
}
