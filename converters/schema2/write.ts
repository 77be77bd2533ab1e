import type { IndexFamily } from '../descriptor-index.ts';
import { layerTypeFrom, type ManifestFamily } from '../descriptor-manifest.ts';
import { mediaTypes } from '../media-types.ts';

/** Docker's image manifest, version 2, schema 2: three spaces of indent, as every Docker has pushed it. */
export const schema2Family: ManifestFamily = {
  dialect: 'schema2',
  manifestType: mediaTypes.schema2,
  configType: mediaTypes.dockerConfig,
  layerType: layerTypeFrom({
    none: { own: mediaTypes.dockerLayer, foreign: mediaTypes.dockerForeign },
    gzip: { own: mediaTypes.dockerLayerGzip, foreign: mediaTypes.dockerForeignGzip },
    zstd: { own: mediaTypes.dockerLayerZstd, foreign: undefined },
  }),
  manifestKeys: new Set(['schemaVersion', 'mediaType', 'config', 'layers']),
  descriptorKeys: new Set(['mediaType', 'size', 'digest', 'urls']),
  indent: 3,
};

/** Docker's manifest list. */
export const dockerListFamily: IndexFamily = {
  dialect: 'schema2',
  indexType: mediaTypes.dockerList,
  indexKeys: new Set(['schemaVersion', 'mediaType', 'manifests']),
  entryKeys: new Set(['mediaType', 'size', 'digest', 'platform', 'urls']),
  needsPlatform: true,
  keepsAttestations: false,
  indent: 3,
};
