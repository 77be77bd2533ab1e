import { mapBounded } from './concurrency.ts';
import { type ManifestFamily, writeDescriptorManifest } from './descriptor-manifest.ts';
import { type Digest, digestOf } from './digest.ts';
import { inTargetOrder } from './generic/order.ts';
import { writeGeneric } from './generic/write.ts';
import { mediaTypes } from './media-types.ts';
import type { Image, Loss } from './model.ts';
import { ociFamily } from './oci/write.ts';
import { type ConversionPorts, fetchConfig, hasImageConfigType } from './ports.ts';
import { signSchema1 } from './schema1/sign.ts';
import { writeSchema1 } from './schema1/write.ts';
import { schema2Family } from './schema2/write.ts';

/** A family of manifests that a client may be given. */
export type Form = 'schema1' | 'schema2' | 'oci' | 'generic';

/** Raised with each change of a byte of any writer: what was remembered of older ones is made anew. */
export const convertersVersion = 1;

export interface ConversionContext {
  readonly ports: ConversionPorts;
  /** The repository's name upstream, and the tag asked for ("" for a digest): schema 1 holds both. */
  readonly name: string;
  readonly tag: string;
}

/** A manifest in the form asked for. */
export interface Converted {
  readonly kind: 'image' | 'index';
  readonly form: Form;
  readonly mediaType: string;
  /** What registries call it: of signed schema 1, the digest of the payload. */
  readonly digest: Digest;
  /** What is sent. */
  readonly body: Uint8Array;
  /** The stored manifest that it was made from. */
  readonly source: Digest;
  readonly losses: readonly Loss[];
  /** Converted manifests that this index names and upstream does not know. */
  readonly children: readonly Converted[];
}

type Written = Omit<Converted, 'kind' | 'source' | 'children'>;

const imageWriters: Readonly<Record<Form, (image: Image, context: ConversionContext) => Promise<Written>>> = {
  schema1: toSchema1,
  schema2: (image, context) => toFamily(image, schema2Family, 'schema2', context),
  oci: (image, context) => toFamily(image, ociFamily, 'oci', context),
  generic: toGeneric,
};

/**
 * Converts one image.
 * @throws ConversionError when the form cannot carry it, or what is stored is broken; or what a port throws.
 */
export async function convertImage(image: Image, form: Form, context: ConversionContext): Promise<Converted> {
  const written = await imageWriters[form](image, context);
  return { ...written, kind: 'image', source: image.source.digest, children: [] };
}

async function toSchema1(image: Image, context: ConversionContext): Promise<Written> {
  const config = await fetchConfig(image, context.ports);
  const { payload, digest, created } = writeSchema1(inTargetOrder(image, config), config, context);
  const body = await signSchema1(payload, await context.ports.signingKey(), created);
  const losses = [...image.labels.keys()].map((key) => ({
    path: `$.annotations.${key}`,
    reason: 'schema 1 has no annotations',
  }));
  return { form: 'schema1', mediaType: mediaTypes.schema1Signed, digest, body, losses };
}

async function toFamily(
  image: Image,
  family: ManifestFamily,
  form: Form,
  context: ConversionContext,
): Promise<Written> {
  const { bytes, losses } = writeDescriptorManifest(await describedLayers(image, context.ports), family);
  return { form, mediaType: family.manifestType, digest: digestOf(bytes), body: bytes, losses };
}

async function toGeneric(image: Image): Promise<Written> {
  const body = writeGeneric(image);
  return { form: 'generic', mediaType: mediaTypes.generic, digest: digestOf(body), body, losses: [] };
}

/** The image with the compression of every layer known, in the order that its target demands. */
async function describedLayers(image: Image, ports: ConversionPorts): Promise<Image> {
  const stated = image.target.kind !== 'config' || hasImageConfigType(image.target.descriptor);
  if (image.source.dialect !== 'generic' && stated) return image;
  const ordered = inTargetOrder(image, await fetchConfig(image, ports));
  const dependencies = await mapBounded(ordered.dependencies, 4, async (layer) =>
    layer.compression === 'unknown' ? { ...layer, compression: await ports.sniffLayer(layer) } : layer,
  );
  return { ...ordered, dependencies };
}
