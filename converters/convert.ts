import { type ManifestFamily, writeDescriptorManifest } from './descriptor-manifest.ts';
import { type Digest, digestOf } from './digest.ts';
import { writeGeneric } from './generic/write.ts';
import { mediaTypes } from './media-types.ts';
import type { Image, Loss } from './model.ts';
import { ociFamily } from './oci/write.ts';
import type { Platform } from './platform.ts';
import type { ConversionPorts } from './ports.ts';
import {
  certainly,
  type DerivedBlob,
  described,
  inOrder,
  modernized,
  type Prepared,
  type Step,
  unpacked,
  withConfig,
} from './prepare.ts';
import { signSchema1 } from './schema1/sign.ts';
import { writeSchema1 } from './schema1/write.ts';
import { schema2Family } from './schema2/write.ts';
import { zeroTime } from './time.ts';

/** A family of manifests that a client may be given. */
export type Form = 'schema1' | 'schema2' | 'oci' | 'generic';

/** Raised with each change of a byte of any writer: what was remembered of older ones is made anew. */
export const convertersVersion = 1;

export interface ConversionContext {
  readonly ports: ConversionPorts;
  /** The repository's name upstream, and the tag asked for ("" for a digest): schema 1 holds both. */
  readonly name: string;
  readonly tag: string;
  /** For a client that cannot unpack zstd: such layers are named as the plain tars that they hold. */
  readonly unpackZstd: boolean;
  /** In an index, read layers of this platform's image alone; of every one where it is absent. */
  readonly layersOf?: Platform | undefined;
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
  /** Blobs that this manifest names and upstream does not know. */
  readonly blobs: readonly DerivedBlob[];
}

type Written = Pick<Converted, 'mediaType' | 'digest' | 'body' | 'losses'>;

interface Way {
  /** What must be done to the image before it can be written, in this order. */
  readonly steps: readonly Step[];
  readonly write: (prepared: Prepared, context: ConversionContext) => Promise<Written> | Written;
}

/** The way of an image into each form; the only place that knows the graph. A new dialect is one line here. */
const ways: Readonly<Record<Form, Way>> = {
  schema1: { steps: [inOrder, described, unpacked, withConfig], write: toSchema1 },
  schema2: { steps: [certainly, inOrder, modernized, described, unpacked], write: toFamily(schema2Family) },
  oci: { steps: [certainly, inOrder, modernized, described, unpacked], write: toFamily(ociFamily) },
  generic: { steps: [certainly, modernized, unpacked], write: toGeneric },
};

/**
 * Converts one image.
 * @throws ConversionError when the form cannot carry it, or what is stored is broken; or what a port throws.
 */
export async function convertImage(image: Image, form: Form, context: ConversionContext): Promise<Converted> {
  const common = { kind: 'image', form, source: image.source.digest, children: [] } as const;
  if (form === 'schema1' && image.target.kind === 'v1') {
    return { ...common, ...(await withSignature(image, context)), blobs: [] };
  }
  // No client that reads nothing but schema 1 unpacks zstd.
  const unpackZstd = context.unpackZstd || form === 'schema1';
  let prepared: Prepared = { image, config: undefined, blobs: [] };
  for (const step of ways[form].steps) prepared = await step(prepared, context.ports, unpackZstd);
  return { ...common, ...(await ways[form].write(prepared, context)), blobs: prepared.blobs };
}

async function toSchema1({ image, config }: Prepared, context: ConversionContext): Promise<Written> {
  if (!config) throw new TypeError('schema 1 is written from a config');
  const { payload, digest, created } = writeSchema1(image, config, context);
  const body = await signSchema1(payload, await context.ports.signingKey(), created);
  const losses = [...image.labels.keys()].map((key) => ({
    path: `$.annotations.${key}`,
    reason: 'schema 1 has no annotations',
  }));
  return { mediaType: mediaTypes.schema1Signed, digest, body, losses };
}

/** Schema 1 as it is stored; signed where it is not, because Docker from 1.10 on asks for a signature. */
async function withSignature({ source }: Image, { ports }: ConversionContext): Promise<Written> {
  const { digest, bytes, mediaType } = source;
  const stored = mediaType === mediaTypes.schema1Signed;
  const body = stored ? bytes : await signSchema1(bytes, await ports.signingKey(), zeroTime);
  return { mediaType: mediaTypes.schema1Signed, digest, body, losses: [] };
}

function toFamily(family: ManifestFamily): Way['write'] {
  return ({ image }) => {
    const { bytes, losses } = writeDescriptorManifest(image, family);
    return { mediaType: family.manifestType, digest: digestOf(bytes), body: bytes, losses };
  };
}

function toGeneric({ image }: Prepared): Written {
  const body = writeGeneric(image);
  return { mediaType: mediaTypes.generic, digest: digestOf(body), body, losses: [] };
}
