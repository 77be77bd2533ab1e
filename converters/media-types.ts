/** Media types by their names in the code. Sources: distribution 2.8 and OCI 1.1. */
export const mediaTypes = {
  schema1: 'application/vnd.docker.distribution.manifest.v1+json',
  schema1Signed: 'application/vnd.docker.distribution.manifest.v1+prettyjws',
  schema2: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  /** The type in the drafts of distribution proposal 62. */
  generic: 'application/vnd.docker.distribution.content.manifest.v2+json',

  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  /** The target of a fat generic manifest (proposal 62). */
  genericFatTarget: 'application/vnd.docker.container.image.v2',

  /** A layer in proposals 62 and 993. The type does not state the compression. */
  genericLayer: 'application/vnd.docker.container.image.rootfs.diff+x-tar',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar',
  dockerLayerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  dockerLayerZstd: 'application/vnd.docker.image.rootfs.diff.tar.zstd',
  dockerForeign: 'application/vnd.docker.image.rootfs.foreign.diff.tar',
  dockerForeignGzip: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar',
  ociLayerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  ociLayerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  ociForeign: 'application/vnd.oci.image.layer.nondistributable.v1.tar',
  ociForeignGzip: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
  ociForeignZstd: 'application/vnd.oci.image.layer.nondistributable.v1.tar+zstd',

  json: 'application/json',
  octetStream: 'application/octet-stream',
} as const;

/** The types of an index: Docker's list and OCI's index. */
export const indexTypes: readonly string[] = [mediaTypes.dockerList, mediaTypes.ociIndex];

/** The types of schema 1, which are one form. */
export const schema1Types: readonly string[] = [mediaTypes.schema1, mediaTypes.schema1Signed];

/** The types of the config of a container image. */
export const imageConfigTypes: readonly string[] = [mediaTypes.dockerConfig, mediaTypes.ociConfig];

/** The types of manifests that registries store; the generic one is a draft alone. */
export const manifestTypes: readonly string[] = [
  ...schema1Types,
  mediaTypes.schema2,
  mediaTypes.ociManifest,
  ...indexTypes,
];

/** Compression of a layer. It is `unknown` if the media type does not state it and the bytes are not read yet. */
export type Compression = 'none' | 'gzip' | 'zstd' | 'unknown';

export interface LayerType {
  readonly compression: Compression;
  /** Whether registries do not store the layer. Docker calls it "foreign", OCI "nondistributable". */
  readonly foreign: boolean;
  readonly encrypted: boolean;
}

const layerTypes: ReadonlyMap<string, Omit<LayerType, 'encrypted'>> = new Map([
  [mediaTypes.genericLayer, { compression: 'unknown', foreign: false }],
  [mediaTypes.dockerLayer, { compression: 'none', foreign: false }],
  [mediaTypes.dockerLayerGzip, { compression: 'gzip', foreign: false }],
  [mediaTypes.dockerLayerZstd, { compression: 'zstd', foreign: false }],
  [mediaTypes.dockerForeign, { compression: 'none', foreign: true }],
  [mediaTypes.dockerForeignGzip, { compression: 'gzip', foreign: true }],
  [mediaTypes.ociLayer, { compression: 'none', foreign: false }],
  [mediaTypes.ociLayerGzip, { compression: 'gzip', foreign: false }],
  [mediaTypes.ociLayerZstd, { compression: 'zstd', foreign: false }],
  [mediaTypes.ociForeign, { compression: 'none', foreign: true }],
  [mediaTypes.ociForeignGzip, { compression: 'gzip', foreign: true }],
  [mediaTypes.ociForeignZstd, { compression: 'zstd', foreign: true }],
]);

/** The properties that a layer's media type states, or `undefined` if the type is not a layer type. */
export function layerTypeOf(mediaType: string): LayerType | undefined {
  // ocicrypt appends "+encrypted" to the media type of the plaintext layer.
  const encrypted = mediaType.endsWith('+encrypted');
  const known = layerTypes.get(encrypted ? mediaType.slice(0, -'+encrypted'.length) : mediaType);
  return known && { ...known, encrypted };
}

/** The media type of a zstd layer, labelled zstd or gzip, with another compression. Other types stay as they are. */
export function withoutZstd(mediaType: string, compression: 'gzip' | 'none'): string {
  const { ociLayer, ociLayerGzip, dockerLayer, dockerLayerGzip } = mediaTypes;
  const isGzip = compression === 'gzip';
  if (mediaType === mediaTypes.ociLayerZstd || mediaType === ociLayerGzip)
    return isGzip ? ociLayerGzip : ociLayer;
  if (mediaType === mediaTypes.dockerLayerZstd || mediaType === dockerLayerGzip)
    return isGzip ? dockerLayerGzip : dockerLayer;
  return mediaType;
}

/** The media type of a `Content-Type` or `Accept` value in lower case, without parameters. */
export function bareMediaType(value: string): string {
  return (value.split(';', 1)[0] ?? '').trim().toLowerCase();
}
