import { mediaTypes } from '../../media-types.ts';
import { layerTypeFrom } from '../oci-family/layer-type.ts';
import type { IndexFamily } from '../oci-family/write-index.ts';
import type { ManifestFamily } from '../oci-family/write-manifest.ts';

/** An OCI image manifest, compact: most builders write it so. */
export const ociFamily: ManifestFamily = {
  dialect: 'oci',
  manifestType: mediaTypes.ociManifest,
  configType: mediaTypes.ociConfig,
  layerType: layerTypeFrom({
    none: { own: mediaTypes.ociLayer, foreign: mediaTypes.ociForeign },
    gzip: { own: mediaTypes.ociLayerGzip, foreign: mediaTypes.ociForeignGzip },
    zstd: { own: mediaTypes.ociLayerZstd, foreign: mediaTypes.ociForeignZstd },
    encrypted: true,
  }),
  annotated: true,
  needsMediaType: false,
  indent: 0,
};

/** An OCI index. */
export const ociIndexFamily: IndexFamily = {
  dialect: 'oci',
  indexType: mediaTypes.ociIndex,
  annotated: true,
  needsMediaType: false,
  indent: 0,
};
