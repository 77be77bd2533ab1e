import { readImageIndex } from '../image-index.ts';
import { readImageManifest } from '../image-manifest.ts';
import { mediaTypes } from '../media-types.ts';
import type { Image, Index } from '../model.ts';
import type { RawDocument } from '../raw-json.ts';
import { sourceOf } from '../source.ts';

/** An OCI image manifest (image-spec 1.1, manifest.md). */
export function readOciManifest(bytes: Uint8Array, document: RawDocument): Image {
  return readImageManifest(sourceOf('oci', mediaTypes.ociManifest, bytes, document));
}

/** An OCI index (image-spec 1.1, image-index.md). */
export function readOciIndex(bytes: Uint8Array, document: RawDocument): Index {
  return readImageIndex(sourceOf('oci', mediaTypes.ociIndex, bytes, document));
}
