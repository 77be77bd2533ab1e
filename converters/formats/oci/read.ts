import type { RawDocument } from '../../json/document.ts';
import { mediaTypes } from '../../media-types.ts';
import type { Image, Index } from '../../model.ts';
import { sourceOf } from '../../source.ts';
import { readImageIndex } from '../oci-family/read-index.ts';
import { readImageManifest } from '../oci-family/read-manifest.ts';

/** An OCI image manifest (image-spec 1.1, manifest.md). */
export function readOciManifest(bytes: Uint8Array, document: RawDocument): Image {
  return readImageManifest(sourceOf('oci', mediaTypes.ociManifest, bytes, document));
}

/** An OCI index (image-spec 1.1, image-index.md). */
export function readOciIndex(bytes: Uint8Array, document: RawDocument): Index {
  return readImageIndex(sourceOf('oci', mediaTypes.ociIndex, bytes, document));
}
