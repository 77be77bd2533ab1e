import { zstd } from '../../../../src/sample-registry/zstd.ts';
import { artifact, type DescribedTool, image, index, on, otherDigest } from '../described-tool.ts';

const created = '2024-05-06T07:08:09Z';
const linux = { architecture: 'amd64', os: 'linux' };
const config = {
  ...linux,
  created,
  config: { Cmd: ['/top'] },
  history: [{ created }, { created, created_by: 'x' }],
};
const date = '2026-11-29';
const chunkedZstd = (tar: Uint8Array) => zstd(tar, { contentSize: true, frames: 3, skippable: 'last' });
const chunked = {
  'io.github.containers.zstd-chunked.manifest-checksum': otherDigest,
  'io.github.containers.zstd-chunked.manifest-position': '1:2:3:1',
};
const zstdType = 'application/vnd.oci.image.layer.v1.tar+zstd';

/** Formats of layers that runtimes read while a container runs. */
export const lazyLayers: readonly DescribedTool[] = [
  {
    tool: 'zstd:chunked of containers/storage',
    source:
      'https://github.com/containers/container-libs/blob/main/storage/pkg/chunked/internal/minimal/compression.go',
    date,
    images: {
      'manifest alone': image(config, {
        layerType: zstdType,
        compress: chunkedZstd,
        layer: { annotations: chunked },
      }),
      'with tar-split': image(config, {
        layerType: zstdType,
        compress: chunkedZstd,
        layer: {
          annotations: { ...chunked, 'io.github.containers.zstd-chunked.tarsplit-position': '4:5:6' },
        },
      }),
      'with tar-split and its checksum': image(config, {
        layerType: zstdType,
        compress: chunkedZstd,
        layer: {
          annotations: {
            ...chunked,
            'io.github.containers.zstd-chunked.tarsplit-checksum': otherDigest,
            'io.github.containers.zstd-chunked.tarsplit-position': '4:5:6',
          },
        },
      }),
      'beside gzip': index([
        [
          image(config, { layerType: zstdType, compress: chunkedZstd, layer: { annotations: chunked } }),
          { annotations: { 'io.github.containers.compression.zstd': 'true' }, ...on('amd64') },
        ],
        [image(config), on('amd64')],
      ]),
    },
  },
  {
    tool: 'eStargz',
    source: 'https://github.com/containerd/stargz-snapshotter/blob/main/docs/estargz.md',
    date,
    images: {
      'with an external TOC': image(config, {
        layer: { annotations: { 'containerd.io/snapshot/stargz/toc.digest': otherDigest } },
      }),
      'the TOC image': image(
        { ...linux },
        {
          files: ['TOC'],
          layer: { annotations: { 'containerd.io/snapshot/stargz/layer.digest': otherDigest } },
        },
      ),
      'Docker types': image(config, {
        docker: true,
        layer: {
          annotations: {
            'containerd.io/snapshot/stargz/toc.digest': otherDigest,
            'io.containers.estargz.uncompressed-size': '9',
          },
        },
      }),
    },
  },
  {
    tool: 'SOCI',
    source: 'https://github.com/awslabs/soci-snapshotter/blob/main/soci/soci_index.go',
    date,
    images: {
      'index of version 1': async (built) => {
        const subject = await image(config)(built);
        return artifact(
          ['application/vnd.amazon.soci.index.v1+json', {}],
          [
            [
              'application/octet-stream',
              'zTOC',
              {
                annotations: {
                  'com.amazon.soci.image-layer-digest': otherDigest,
                  'com.amazon.soci.image-layer-mediaType': 'x',
                  'com.amazon.soci.span-size': '1',
                },
              },
            ],
          ],
          { subject, annotations: { 'com.amazon.soci.build-tool-identifier': 'AWS SOCI CLI v0.1' } },
        )(built);
      },
      'index with what to prefetch': artifact(
        ['application/vnd.amazon.soci.index.v2+json', {}],
        [
          [
            'application/octet-stream',
            'zTOC',
            {
              annotations: {
                'com.amazon.soci.disable-xattrs': 'true',
                'com.amazon.soci.image-layer-digest': otherDigest,
                'com.amazon.soci.image-layer-mediaType': 'x',
                'com.amazon.soci.span-size': '1',
              },
            },
          ],
          ['application/vnd.amazon.soci.prefetch.v1+json', '{"version":"1.0","prefetch_spans":[]}'],
        ],
        { annotations: { 'com.amazon.soci.build-tool-identifier': 'AWS SOCI CLI v0.2' } },
      ),
      'image of version 2': index([
        [
          image(config, { manifest: { annotations: { 'com.amazon.soci.index-digest': otherDigest } } }),
          { ...on('amd64'), annotations: { 'com.amazon.soci.index-digest': otherDigest } },
        ],
        [
          artifact(
            ['application/vnd.amazon.soci.index.v2+json', {}],
            [
              [
                'application/octet-stream',
                'zTOC',
                {
                  annotations: {
                    'com.amazon.soci.image-layer-digest': otherDigest,
                    'com.amazon.soci.image-layer-mediaType': 'x',
                    'com.amazon.soci.span-size': '1',
                  },
                },
              ],
            ],
            { annotations: { 'com.amazon.soci.build-tool-identifier': 'AWS SOCI CLI v0.2' } },
          ),
          {
            artifactType: 'application/vnd.amazon.soci.index.v2+json',
            annotations: { 'com.amazon.soci.image-manifest-digest': otherDigest },
            ...on('amd64'),
          },
        ],
      ]),
    },
  },
  {
    tool: 'Nydus',
    source: 'https://github.com/containerd/nydus-snapshotter/blob/main/pkg/converter/constant.go',
    date,
    images: {
      image: artifact(
        [
          'application/vnd.oci.image.config.v1+json',
          {
            ...linux,
            created,
            config: { Cmd: ['x'] },
            rootfs: { type: 'layers', diff_ids: [otherDigest, otherDigest] },
            history: [
              { created, created_by: 'x' },
              { created_by: 'Nydus Converter', comment: 'Nydus Bootstrap Layer' },
            ],
          },
        ],
        [
          [
            'application/vnd.oci.image.layer.nydus.blob.v1',
            'blob',
            {
              annotations: {
                'containerd.io/snapshot/nydus-blob': 'true',
                'containerd.io/uncompressed': otherDigest,
              },
            },
          ],
          [
            'application/vnd.oci.image.layer.v1.tar+gzip',
            'bootstrap',
            {
              annotations: {
                'containerd.io/snapshot/nydus-bootstrap': 'true',
                'containerd.io/snapshot/nydus-fs-version': '6',
                'containerd.io/uncompressed': otherDigest,
              },
            },
          ],
        ],
      ),
      'beside OCI': index([
        [image(config), on('amd64')],
        [
          artifact(
            [
              'application/vnd.oci.image.config.v1+json',
              { ...linux, created, config: {}, rootfs: { type: 'layers', diff_ids: [otherDigest] } },
            ],
            [
              [
                'application/vnd.oci.image.layer.nydus.blob.v1',
                'b',
                {
                  annotations: {
                    'containerd.io/snapshot/nydus-blob': 'true',
                    'containerd.io/snapshot/nydus-reference-blob-ids': '[]',
                  },
                },
              ],
            ],
          ),
          {
            ...on('amd64', 'linux', { 'os.features': ['nydus.remoteimage.v1'] }),
            artifactType: 'application/vnd.nydus.image.manifest.v1+json',
          },
        ],
      ]),
    },
  },
  {
    tool: 'OverlayBD',
    source: 'https://github.com/containerd/accelerated-container-image/blob/main/pkg/label/label.go',
    date,
    images: {
      image: image(config, {
        docker: true,
        layerType: 'application/vnd.docker.image.rootfs.diff.tar',
        layer: {
          annotations: {
            'containerd.io/snapshot/overlaybd/blob-digest': otherDigest,
            'containerd.io/snapshot/overlaybd/blob-size': '1',
          },
        },
      }),
      'with a file system': image(config, {
        layerType: 'application/vnd.oci.image.layer.v1.tar',
        layer: {
          annotations: {
            'containerd.io/snapshot/overlaybd/blob-digest': otherDigest,
            'containerd.io/snapshot/overlaybd/blob-fs-type': 'ext4',
            'containerd.io/snapshot/overlaybd/blob-size': '1',
            'containerd.io/snapshot/overlaybd/version': '0.1.0',
          },
        },
      }),
    },
  },
  {
    tool: 'ocicrypt',
    source: 'https://github.com/containers/ocicrypt/blob/main/encryption.go',
    date,
    images: {
      'PGP and JWE': image(config, {
        layerType: 'application/vnd.oci.image.layer.v1.tar+gzip+encrypted',
        layer: {
          annotations: {
            'org.opencontainers.image.enc.keys.jwe': 'x',
            'org.opencontainers.image.enc.keys.pgp': 'y',
            'org.opencontainers.image.enc.pubopts': 'z',
          },
        },
      }),
      'a key provider': image(config, {
        layerType: 'application/vnd.oci.image.layer.v1.tar+encrypted',
        layer: {
          annotations: {
            'org.opencontainers.image.enc.keys.provider.attestation-agent': 'x',
            'org.opencontainers.image.enc.pubopts': 'z',
          },
        },
      }),
    },
  },
];
