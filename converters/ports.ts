import { type Digest, verifyDigest } from './digest.ts';
import { ConversionError } from './errors.ts';
import { type ImageConfig, readImageConfig } from './image-config.ts';
import { bareMediaType, type Compression, mediaTypes } from './media-types.ts';
import type { Descriptor, Image, Index, Layer } from './model.ts';
import { readManifest } from './read.ts';
import type { SigningKey } from './schema1/signing-key.ts';

/** What a conversion needs from outside. Each port may fail with any error, which is passed on. */
export interface ConversionPorts {
  /** The bytes of a manifest; they are verified here. */
  readonly fetchManifest: (descriptor: Descriptor) => Promise<Uint8Array>;
  /** The bytes of a config, or of another small blob; they are verified here. */
  readonly fetchBlob: (descriptor: Descriptor) => Promise<Uint8Array>;
  /** How a layer is packed, by its first bytes. */
  readonly sniffLayer: (layer: Layer) => Promise<Compression>;
  /** What only reading the whole layer tells. Asked for where a conversion cannot do without. */
  readonly layerFacts: (layer: Layer) => Promise<LayerFacts>;
  /** Only asked for when something is to be signed. */
  readonly signingKey: () => Promise<SigningKey>;
}

/** What is known of a layer that was read to its end; it never changes. */
export interface LayerFacts {
  readonly compression: Exclude<Compression, 'unknown'>;
  /** Bytes as stored. */
  readonly packedSize: number;
  /** Bytes unpacked. */
  readonly size: number;
  /** The digest of the layer unpacked. */
  readonly diffId: Digest;
}

/** Fetches, verifies and reads a manifest that an index names. @throws ConversionError. */
export async function fetchModel(descriptor: Descriptor, ports: ConversionPorts): Promise<Image | Index> {
  const bytes = await ports.fetchManifest(descriptor);
  const model = readManifest(bytes, descriptor.mediaType);
  // Of signed schema 1 the digest is that of the payload: the model knows it.
  if (model.source.digest !== descriptor.digest) {
    verifyDigest(bytes, descriptor.digest, 'manifest that an index names');
  }
  return model;
}

/** Fetches, verifies and reads the config of an image. @throws ConversionError. */
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

/** A small blob whose bytes are what its descriptor says. @throws ConversionError. */
export async function fetchVerified(
  descriptor: Descriptor,
  ports: ConversionPorts,
  what: string,
): Promise<Uint8Array> {
  const bytes = await ports.fetchBlob(descriptor);
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
