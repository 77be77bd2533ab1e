import { mediaTypes } from '../../converters/media-types.ts';
import type { HeaderLine } from './old-clients.ts';

const { schema1, schema1Signed, schema2, dockerList, ociManifest, ociIndex } = mediaTypes;
const containersImage = [ociManifest, schema2, schema1Signed, schema1, dockerList, ociIndex];
const containerd = [[schema2, dockerList, ociManifest, ociIndex, '*/*'].join(', ')];
const goContainerRegistry = [[schema1, schema1Signed, ociIndex, dockerList, ociManifest, schema2].join(',')];

function headers(userAgent: string, accept: readonly string[]): readonly HeaderLine[] {
  return [['User-Agent', userAgent], ...accept.map((type) => ['Accept', type] as const)];
}

/**
 * The headers of a request for a tag by programs that embed another program's library, and by newer versions. Those of
 * podman 4.3 and Buildah 1.28 were recorded on the wire; the others are as the sources of the programs write them.
 */
export const embeddingClients = {
  'podman 4.3': headers('containers/5.23.1 (github.com/containers/image)', containersImage),
  'podman 5.8': headers('containers/5.38.0 (github.com/containers/image)', containersImage),
  'Buildah 1.28': headers('Buildah/1.28.2', containersImage),
  'CRI-O 1.34': headers('cri-o/1.34.2 go/go1.24.6 os/linux arch/amd64', containersImage),
  'containerd 1.6': headers('containerd/1.6.20', containerd),
  'containerd 2.2': headers('containerd/2.2.0', containerd),
  'BuildKit in Docker 20.10': headers('containerd/1.6.20+unknown', containerd),
  'BuildKit 0.11': headers('buildkit/v0.11', containerd),
  'BuildKit 0.13': headers('buildkit/v0.13', containerd),
  "Docker 28 with containerd's store": headers(
    'docker/28.3.3 go/go1.24.5 git-commit/bea959c kernel/6.1.0 os/linux arch/amd64 containerd-client/1.7.27+unknown ' +
      'storage-driver/overlayfs UpstreamClient(Docker-Client/28.3.3 \\(linux\\))',
    containerd,
  ),
  'Docker 28': headers('docker/28.3.3 go/go1.24.5 os/linux arch/amd64', [
    ...[schema2, dockerList, schema1Signed, 'application/json'],
    ...[ociManifest, ociIndex],
  ]),
  crane: headers('crane/v0.20.2 go-containerregistry/v0.20.2', goContainerRegistry),
  'an update watcher': headers('Watchtower/v1.7.1', [schema2, dockerList, schema1, ociIndex]),
} satisfies Record<string, readonly HeaderLine[]>;

export type EmbeddingClient = keyof typeof embeddingClients;
