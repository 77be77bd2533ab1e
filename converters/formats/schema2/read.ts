import type { RawDocument } from '../../json/document.ts';
import { mediaTypes } from '../../media-types.ts';
import type { Image, Index } from '../../model.ts';
import { sourceOf } from '../../source.ts';
import { readImageIndex } from '../oci-family/read-index.ts';
import { readImageManifest } from '../oci-family/read-manifest.ts';

/** A Docker image manifest (distribution 2.8, docs/spec/manifest-v2-2.md). */
export function readSchema2(bytes: Uint8Array, document: RawDocument): Image {
  return readImageManifest(sourceOf('schema2', mediaTypes.schema2, bytes, document));
}

/** A Docker manifest list. */
export function readDockerList(bytes: Uint8Array, document: RawDocument): Index {
  return readImageIndex(sourceOf('schema2', mediaTypes.dockerList, bytes, document));
}
