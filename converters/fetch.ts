import { verifyDigest } from './digest.ts';
import { ConversionError } from './errors.ts';
import { type ImageConfig, readImageConfig } from './image-config.ts';
import { checkDocumentSize } from './limits.ts';
import { bareMediaType, mediaTypes } from './media-types.ts';
import type { Descriptor, Image, Model } from './model.ts';
import type { ConversionPorts } from './ports.ts';
import { readManifest } from './read.ts';

/** Fetches, verifies and reads a manifest that an index names. @throws ConversionError; or what the port throws. */
export async function fetchModel(descriptor: Descriptor, ports: ConversionPorts): Promise<Model> {
  const bytes = await ports.fetchManifest(descriptor);
  const model = readManifest(bytes, descriptor.mediaType);
  // Of signed schema 1 the digest is that of the payload: the model knows it.
  if (model.source.digest === descriptor.digest) return model;
  verifyDigest(bytes, descriptor.digest, 'manifest that an index names');
  return model;
}

/** Fetches, verifies and reads the config of an image. @throws ConversionError; or what the port throws. */
export async function fetchConfig(image: Image, ports: ConversionPorts): Promise<ImageConfig> {
  if (image.target.kind !== 'config') {
    throw new ConversionError({
      code: 'INEXPRESSIBLE',
      message: 'The image is stored as schema 1, which has no config',
      dialect: 'schema1',
    });
  }
  const { descriptor } = image.target;
  const config = readImageConfig(await fetchVerified(descriptor, ports, 'image config'));
  if (!hasImageConfigType(descriptor) && config.diffIds === undefined) {
    throw new ConversionError({
      code: 'NOT_AN_IMAGE',
      message: 'The config is not that of a container image',
      found: `a config of type ${descriptor.mediaType} without rootfs.diff_ids`,
    });
  }
  return config;
}

/** False for types such as `application/octet-stream`, which image configs and artifacts have: the content tells. */
export function hasImageConfigType(descriptor: Descriptor): boolean {
  const type = bareMediaType(descriptor.mediaType);
  return type === mediaTypes.dockerConfig || type === mediaTypes.ociConfig;
}

/** A small blob whose bytes are what its descriptor says. @throws ConversionError; or what the port throws. */
export async function fetchVerified(
  descriptor: Descriptor,
  ports: ConversionPorts,
  what: string,
): Promise<Uint8Array> {
  const bytes = await ports.fetchBlob(descriptor);
  checkDocumentSize(bytes, what);
  verifyDigest(bytes, descriptor.digest, what);
  if (descriptor.size === undefined || descriptor.size === bytes.length) return bytes;
  throw new ConversionError({
    code: 'INVALID',
    message: `The ${what} is not as long as its descriptor says`,
    path: descriptor.field?.path,
    found: `${bytes.length} bytes`,
    expected: `${descriptor.size} bytes`,
  });
}
