import { type Digest, verifyDigest } from '../../converters/digest.ts';
import { ConversionError } from '../../converters/errors.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { readManifest, sketchManifest } from '../../converters/read.ts';

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
    return readManifest(bytes, contentType).source.digest;
  } catch (error) {
    if (error instanceof ConversionError) return undefined;
    throw error;
  }
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
