import { mediaTypes } from '../../media-types.ts';
import { layerTypeFrom } from '../oci-family/layer-type.ts';
import type { IndexFamily } from '../oci-family/write-index.ts';
import type { ManifestFamily } from '../oci-family/write-manifest.ts';

/** Docker's image manifest, version 2, schema 2: three spaces of indent, as every Docker has pushed it. */
export const schema2Family: ManifestFamily = {
  dialect: 'schema2',
  manifestType: mediaTypes.schema2,
  configType: mediaTypes.dockerConfig,
  layerType: layerTypeFrom({
    none: { own: mediaTypes.dockerLayer, foreign: mediaTypes.dockerForeign },
    gzip: { own: mediaTypes.dockerLayerGzip, foreign: mediaTypes.dockerForeignGzip },
    zstd: { own: mediaTypes.dockerLayerZstd, foreign: undefined },
    encrypted: false,
  }),
  annotated: false,
  // Docker 20.10 says "mediaType in manifest should be … not ''".
  needsMediaType: true,
  indent: 3,
};

/** Docker's manifest list. */
export const dockerListFamily: IndexFamily = {
  dialect: 'schema2',
  indexType: mediaTypes.dockerList,
  annotated: false,
  needsMediaType: true,
  indent: 3,
};
