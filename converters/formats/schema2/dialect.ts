import type { Bytes } from '../../bytes.ts';
import type { RawDocument } from '../../json/document.ts';
import { mediaTypes } from '../../media-types.ts';
import type { Image, Index } from '../../model.ts';
import { sourceOf } from '../../source.ts';
import { layerTypeFrom } from '../oci-family/layer-type.ts';
import { readImageIndex } from '../oci-family/read-index.ts';
import { readImageManifest } from '../oci-family/read-manifest.ts';
import type { DialectRules } from '../oci-family/relabel.ts';
import type { ManifestDialect } from '../oci-family/write-manifest.ts';

/**
 * Reads a Docker image manifest, version 2, schema 2 (distribution 2.8, docs/spec/manifest-v2-2.md).
 * @throws ConversionError as `readImageManifest`.
 */
export function readSchema2(bytes: Bytes, document: RawDocument): Image {
  return readImageManifest(sourceOf('schema2', mediaTypes.schema2, bytes, document));
}

/** Reads a Docker manifest list. @throws ConversionError as `readImageIndex`. */
export function readDockerList(bytes: Bytes, document: RawDocument): Index {
  return readImageIndex(sourceOf('schema2', mediaTypes.dockerList, bytes, document));
}

const docker = {
  dialect: 'schema2',
  annotated: false,
  // Docker 20.10 says "mediaType in manifest should be … not ''".
  needsMediaType: true,
  // Every manifest that Docker pushes has three spaces.
  indent: 3,
} as const;

/** Rules for writing a Docker image manifest. */
export const schema2ManifestDialect: ManifestDialect = {
  ...docker,
  mediaType: mediaTypes.schema2,
  configType: mediaTypes.dockerConfig,
  layerType: layerTypeFrom({
    none: { own: mediaTypes.dockerLayer, foreign: mediaTypes.dockerForeign },
    gzip: { own: mediaTypes.dockerLayerGzip, foreign: mediaTypes.dockerForeignGzip },
    zstd: { own: mediaTypes.dockerLayerZstd, foreign: undefined },
    encrypted: false,
  }),
};

/** Rules for writing a Docker manifest list. */
export const dockerListDialect: DialectRules = { ...docker, mediaType: mediaTypes.dockerList };
