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

/** Reads an OCI image manifest (image-spec 1.1, manifest.md). @throws ConversionError as `readImageManifest`. */
export function readOciManifest(bytes: Bytes, document: RawDocument): Image {
  return readImageManifest(sourceOf('oci', mediaTypes.ociManifest, bytes, document));
}

/** Reads an OCI index (image-spec 1.1, image-index.md). @throws ConversionError as `readImageIndex`. */
export function readOciIndex(bytes: Bytes, document: RawDocument): Index {
  return readImageIndex(sourceOf('oci', mediaTypes.ociIndex, bytes, document));
}

/** OCI documents are compact, as most builders write them. */
const oci = { dialect: 'oci', annotated: true, needsMediaType: false, indent: 0 } as const;

/** Rules for writing an OCI image manifest. */
export const ociManifestDialect: ManifestDialect = {
  ...oci,
  mediaType: mediaTypes.ociManifest,
  configType: mediaTypes.ociConfig,
  layerType: layerTypeFrom({
    none: { own: mediaTypes.ociLayer, foreign: mediaTypes.ociForeign },
    gzip: { own: mediaTypes.ociLayerGzip, foreign: mediaTypes.ociForeignGzip },
    zstd: { own: mediaTypes.ociLayerZstd, foreign: mediaTypes.ociForeignZstd },
    encrypted: true,
  }),
};

/** Rules for writing an OCI index. */
export const ociIndexDialect: DialectRules = { ...oci, mediaType: mediaTypes.ociIndex };
