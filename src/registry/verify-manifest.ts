import { type Digest, digestAlgorithm, digestMismatch, digestOf } from '../../converters/digest.ts';
import { unlessUnreadable } from '../../converters/errors.ts';
import { readPrettyJws } from '../../converters/formats/schema1/pretty-jws.ts';
import { asObject, rootField } from '../../converters/json/fields.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { sketchManifest } from '../../converters/read.ts';

/** Verifies the digest of a manifest. @throws ConversionError DIGEST_MISMATCH. */
export function verifyManifest(bytes: Uint8Array, digest: Digest, contentType: string): void {
  if (!hasDigest(bytes, digest, contentType)) throw digestMismatch(bytes, digest, 'manifest');
}

/** Whether content has a digest: for signed schema 1, that of the payload; for all else, that of the bytes. */
export function hasDigest(bytes: Uint8Array, digest: Digest, contentType: string): boolean {
  return (
    digestOf(bytes, digestAlgorithm(digest)) === digest ||
    unlessUnreadable(() => contentDigest(bytes, contentType)) === digest
  );
}

/**
 * The digest of a manifest: for signed schema 1, that of the payload; for all else, that of the bytes. It reads the
 * signature block of schema 1 and nothing of the payload, which may be an image that regshift cannot convert.
 * @throws ConversionError as `sketchManifest`; SIGNATURE, INVALID or LIMIT for a signature block that is broken.
 */
export function contentDigest(bytes: Uint8Array, contentType: string): Digest {
  const sketch = sketchManifest(bytes, contentType);
  if (sketch.mediaType !== mediaTypes.schema1Signed) return digestOf(bytes);
  return digestOf(readPrettyJws(sketch.bytes, asObject(rootField(sketch.document, 'schema1'))).payload);
}

/** Whether a manifest is schema 1 without a signature. */
export function isUnsigned(bytes: Uint8Array, contentType: string): boolean {
  const sketch = unlessUnreadable(() => sketchManifest(bytes, contentType));
  return sketch?.mediaType === mediaTypes.schema1;
}
