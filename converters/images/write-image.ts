import { type Digest, digestOf, digestOfLong } from '../digest.ts';
import { ConversionError } from '../errors.ts';
import { rewriteGeneric, writeGeneric } from '../formats/generic/write.ts';
import { type ManifestFamily, writeDescriptorManifest } from '../formats/oci-family/write-manifest.ts';
import { signSchema1 } from '../formats/schema1/sign.ts';
import { writeSchema1 } from '../formats/schema1/write.ts';
import { zeroTime } from '../json/go-time.ts';
import { mediaTypes } from '../media-types.ts';
import type { Image, LossKind } from '../model.ts';
import type { ConversionPorts } from '../ports.ts';
import type { PreparedImage } from '../steps/step.ts';

/** A manifest as it is sent. */
export interface Written {
  readonly mediaType: string;
  /** What registries call it: of signed schema 1, the digest of the payload. */
  readonly digest: Digest;
  readonly body: Uint8Array;
}

export interface WriteContext {
  readonly ports: ConversionPorts;
  readonly name: string;
  readonly tag: string;
}

/** Writes an image that went through the steps. @param lost the kinds of things that the form cannot carry. */
export type WriteImage = (
  prepared: PreparedImage,
  context: WriteContext,
  lost: ReadonlySet<LossKind>,
) => Promise<Written> | Written;

export const toSchema1: WriteImage = async ({ image, config }, context) => {
  if (image.target.kind === 'v1') return withSignature(image, context);
  if (!config) {
    throw new ConversionError({
      code: 'UNAVAILABLE',
      message: 'Schema 1 is written from a config',
      dialect: 'schema1',
    });
  }
  const { payload, created } = writeSchema1(image, config, context);
  const body = await signSchema1(payload, await context.ports.signingKey(), created);
  return { mediaType: mediaTypes.schema1Signed, digest: await digestOfLong(payload), body };
};

/** Schema 1 as it is stored; signed where it is not, because Docker from 1.10 on asks for a signature. */
async function withSignature({ source }: Image, { ports }: WriteContext): Promise<Written> {
  const { digest, bytes, mediaType } = source;
  const signed = mediaType === mediaTypes.schema1Signed;
  const body = signed ? bytes : await signSchema1(bytes, await ports.signingKey(), zeroTime);
  return { mediaType: mediaTypes.schema1Signed, digest, body };
}

export function toFamily(family: ManifestFamily): WriteImage {
  return ({ image }, _, lost) => {
    const body = writeDescriptorManifest(image, family, lost);
    return { mediaType: family.manifestType, digest: digestOf(body), body };
  };
}

export const toGeneric: WriteImage = ({ image }) => {
  const body = image.source.dialect === 'generic' ? rewriteGeneric(image) : writeGeneric(image);
  return { mediaType: mediaTypes.generic, digest: digestOf(body), body };
};
