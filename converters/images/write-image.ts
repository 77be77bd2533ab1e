import type { Bytes } from '../bytes.ts';
import { type Digest, digestOfLong } from '../digest.ts';
import { ConversionError } from '../errors.ts';
import { rewriteGeneric, writeGeneric } from '../formats/generic/write.ts';
import { type ManifestDialect, writeDescriptorManifest } from '../formats/oci-family/write-manifest.ts';
import { signSchema1 } from '../formats/schema1/sign.ts';
import { writeSchema1 } from '../formats/schema1/write.ts';
import { zeroTime } from '../json/go-time.ts';
import { mediaTypes } from '../media-types.ts';
import type { Image, LossKind } from '../model.ts';
import type { ConversionPorts } from '../ports.ts';
import type { PreparedImage } from '../steps/step.ts';

/** A written manifest. */
export interface Written {
  readonly mediaType: string;
  /** The digest that registries use. For signed schema 1 it is the digest of the payload. */
  readonly digest: Digest;
  readonly body: Bytes;
}

export interface WriteContext {
  readonly ports: ConversionPorts;
  readonly name: string;
  readonly tag: string;
}

/** Writes a prepared image in one form. @param lost the kinds of content that the form cannot hold. */
export type WriteImage = (
  prepared: PreparedImage,
  context: WriteContext,
  lost: ReadonlySet<LossKind>,
) => Promise<Written>;

/** Writes signed schema 1. @throws ConversionError as `writeSchema1`; any error of the port for the key, unchanged. */
export const toSchema1: WriteImage = async ({ image, config }, context) => {
  if (image.target.kind === 'v1') return withSignature(image, context);
  if (!config) {
    throw new ConversionError({
      code: 'UNAVAILABLE',
      message: 'Schema 1 is written from a config',
      dialect: 'schema1',
    });
  }
  const { payload, created } = await writeSchema1(image, config, context, context.ports.turn);
  await context.ports.turn?.(payload.length);
  const body = await signSchema1(payload, await context.ports.signingKey(), created, context.ports.turn);
  return { mediaType: mediaTypes.schema1Signed, digest: await digestOfLong(payload), body };
};

/** A stored schema 1 manifest. It gets a signature if it has none, because Docker from 1.10 on requires one. */
async function withSignature({ source }: Image, { ports }: WriteContext): Promise<Written> {
  const { digest, bytes, mediaType } = source;
  const signed = mediaType === mediaTypes.schema1Signed;
  if (!signed) await ports.turn?.(bytes.length);
  const body = signed ? bytes : await signSchema1(bytes, await ports.signingKey(), zeroTime, ports.turn);
  return { mediaType: mediaTypes.schema1Signed, digest, body };
}

/** Makes the writer of schema 2 or OCI manifests. */
export function toImageManifest(rules: ManifestDialect): WriteImage {
  return async ({ image }, _, lost) => {
    const body = writeDescriptorManifest(image, rules, lost);
    return { mediaType: rules.mediaType, digest: await digestOfLong(body), body };
  };
}

/** Writes a generic manifest. A stored generic manifest keeps its layout. */
export const toGeneric: WriteImage = async ({ image }) => {
  const body = image.source.dialect === 'generic' ? rewriteGeneric(image) : writeGeneric(image);
  return { mediaType: mediaTypes.generic, digest: await digestOfLong(body), body };
};
