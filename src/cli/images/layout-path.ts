import { type Digest, digestAlgorithm, digestHex } from '../../../converters/digest.ts';

/** The path of a blob in an OCI layout (image-spec 1.1, image-layout.md). */
export function layoutPath(digest: Digest): string {
  return `blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`;
}
