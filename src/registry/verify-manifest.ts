import { type Digest, digestOf, verifyDigest } from '../../converters/digest.ts';
import { ConversionError } from '../../converters/errors.ts';
import { readPrettyJws } from '../../converters/formats/schema1/pretty-jws.ts';
import { asObject, rootField } from '../../converters/json/fields.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { sketchManifest } from '../../converters/read.ts';

/**
 * Verifies the digest of a manifest: for signed schema 1, that of the payload; for all else, that of the bytes.
 * @throws ConversionError DIGEST_MISMATCH.
 */
export function verifyManifest(bytes: Uint8Array, digest: Digest, contentType: string): void {
  try {
    verifyDigest(bytes, digest, 'manifest');
  } catch (mismatch) {
    if (payloadDigest(bytes, contentType) !== digest) throw mismatch;
  }
}

function payloadDigest(bytes: Uint8Array, contentType: string): Digest | undefined {
  try {
    return contentDigest(bytes, contentType);
  } catch (error) {
    if (error instanceof ConversionError) return undefined;
    throw error;
  }
}

/**
 * The digest of a manifest: for signed schema 1, that of the payload; for all else, that of the bytes. It reads the
 * signature block of schema 1 and nothing of the payload, which may be an image that regshift cannot convert.
 * @throws ConversionError as `sketchManifest`; SIGNATURE, INVALID or LIMIT for a signature block that is broken.
 */
export function contentDigest(bytes: Uint8Array, contentType: string): Digest {
  const { mediaType, document } = sketchManifest(bytes, contentType);
  if (mediaType !== mediaTypes.schema1Signed) return digestOf(bytes);
  return digestOf(readPrettyJws(bytes, asObject(rootField(document, 'schema1'))).payload);
}

/** Whether a manifest is schema 1 without a signature. */
export function isUnsigned(bytes: Uint8Array, contentType: string): boolean {
  try {
    return sketchManifest(bytes, contentType).mediaType === mediaTypes.schema1;
  } catch (error) {
    if (error instanceof ConversionError) return false;
    throw error;
  }
}
