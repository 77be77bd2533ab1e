import { type Bytes, checkIsBytes } from './bytes.ts';
import { digestAlgorithm, digestMismatch, digestOfLong } from './digest.ts';
import { ConversionError, unlessUnreadable } from './errors.ts';
import { type ImageConfig, readImageConfig } from './image-config.ts';
import { checkDocumentSize } from './limits.ts';
import { bareMediaType, imageConfigTypes } from './media-types.ts';
import type { Descriptor, Image, Model } from './model.ts';
import type { ConversionPorts } from './ports.ts';
import { readManifest } from './read.ts';

/**
 * Fetches, verifies and reads a manifest that an index names.
 * @throws ConversionError when the manifest is invalid or has another digest; any error of the port, unchanged.
 */
export async function fetchModel(descriptor: Descriptor, ports: ConversionPorts): Promise<Model> {
  const what = 'manifest that an index names';
  const bytes = await ports.fetchManifest(descriptor);
  checkIsBytes(bytes, what);
  checkDocumentSize(bytes, what);
  // Docker checks no sizes: an index whose entry states a wrong one is pulled everywhere but by containerd.
  const matches = await matchesDigest(bytes, descriptor);
  await ports.turn?.(bytes.length);
  if (matches) return namedModel(readManifest(bytes, descriptor.mediaType), descriptor);
  const signed = signedSchema1(bytes, descriptor);
  if (signed) return signed;
  throw digestMismatch(bytes, descriptor.digest, what);
}

/** The model with the digest that a registry or an index names it by: the model's own digest is always of sha256. */
export function namedModel(model: Model, { digest }: Pick<Descriptor, 'digest'>): Model {
  return model.source.digest === digest ? model : { ...model, source: { ...model.source, digest } };
}

/** Reads a signed schema 1 manifest, whose digest is the digest of the payload inside. */
function signedSchema1(bytes: Uint8Array, { digest, mediaType }: Descriptor): Model | undefined {
  const model = unlessUnreadable(() => readManifest(bytes, mediaType));
  return model?.source.digest === digest ? model : undefined;
}

/**
 * Fetches, verifies and reads the config of an image.
 * @throws ConversionError when the config is invalid, has another digest, or is not the config of an image.
 * @throws any error of the port, unchanged.
 */
export async function fetchConfig(image: Image, ports: ConversionPorts): Promise<ImageConfig> {
  if (image.target.kind !== 'config') {
    throw new ConversionError({
      code: 'INEXPRESSIBLE',
      message: 'The image is stored as schema 1, which has no config',
      dialect: 'schema1',
    });
  }
  const { descriptor } = image.target;
  const bytes = await fetchVerified(descriptor, ports, 'image config');
  await ports.turn?.(bytes.length);
  const config = readImageConfig(bytes);
  if (!hasImageConfigType(descriptor) && config.diffIds === undefined) {
    throw new ConversionError({
      code: 'NOT_AN_IMAGE',
      message: 'The config is not that of a container image',
      found: `a config of type ${descriptor.mediaType} without rootfs.diff_ids`,
    });
  }
  return config;
}

/**
 * Whether the media type alone shows that a config is an image config. Artifacts and images both use types such as
 * `application/octet-stream`; for those only the content tells.
 */
export function hasImageConfigType(descriptor: Descriptor): boolean {
  return imageConfigTypes.includes(bareMediaType(descriptor.mediaType));
}

/**
 * Fetches a small blob and verifies its digest. Docker ignores a wrong size in a manifest.
 * @param what the blob is, for messages.
 * @throws ConversionError when the blob does not match its descriptor; any error of the port, unchanged.
 */
export async function fetchVerified(
  descriptor: Descriptor,
  ports: ConversionPorts,
  what: string,
): Promise<Bytes> {
  const bytes = await ports.fetchBlob(descriptor);
  checkIsBytes(bytes, what);
  checkDocumentSize(bytes, what);
  if (!(await matchesDigest(bytes, descriptor))) throw digestMismatch(bytes, descriptor.digest, what);
  return bytes;
}

async function matchesDigest(bytes: Uint8Array, { digest }: Descriptor): Promise<boolean> {
  return (await digestOfLong(bytes, digestAlgorithm(digest))) === digest;
}
