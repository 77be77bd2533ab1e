import { expect, test } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { readImageConfig } from '../../converters/image-config.ts';
import { convertImage } from '../../converters/images/convert-image.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import type { Image, Layer } from '../../converters/model.ts';
import type { ConversionPorts } from '../../converters/ports.ts';
import { readManifest } from '../../converters/read.ts';
import { createSampleRegistry } from '../../src/sample-registry/registry.ts';
import { diffIdOf, MemoryRegistry } from '../support/converters/memory-registry.ts';

const samples = createSampleRegistry();

async function bytesAt(path: string): Promise<Uint8Array> {
  const response = await samples.fetch(`http://sample.test/v2/sample/oci-zstd/${path}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** @param annotations of each layer. */
async function zstdImage(annotations: Readonly<Record<string, string>> = {}) {
  const stored = JSON.parse(new TextDecoder().decode(await bytesAt('manifests/latest')));
  const layers = stored.layers.map((layer: object) => ({ ...layer, annotations }));
  const bytes = new TextEncoder().encode(JSON.stringify({ ...stored, layers }));
  const image = readManifest(bytes, mediaTypes.ociManifest);
  if (image.kind === 'index' || image.target.kind === 'v1') throw new Error('the sample is an OCI image');
  const { diffIds = [] } = readImageConfig(await bytesAt(`blobs/${image.target.descriptor.digest}`));
  const facts = async (layer: Layer) => {
    const diffId = diffIds[image.dependencies.findIndex(({ digest }) => digest === layer.digest)];
    if (diffId === undefined) throw new Error('each layer has a diff_id');
    return { compression: 'zstd', packedSize: layer.size ?? 0, size: 2048, diffId } as const;
  };
  const ports: ConversionPorts = {
    fetchManifest: ({ digest }) => bytesAt(`manifests/${digest}`),
    fetchBlob: ({ digest }) => bytesAt(`blobs/${digest}`),
    sniffLayer: async () => 'zstd',
    layerFacts: facts,
    signingKey: () => Promise.reject(new Error('not used')),
  };
  return { image, ports, diffIds };
}

const gzipLayer = async ({ digest }: Layer) => ({
  digest: digestOf(new TextEncoder().encode(`gzip of ${digest}`)),
  size: 77,
});

test.each([
  ['schema2', mediaTypes.dockerLayerGzip, mediaTypes.dockerLayer],
  ['oci', mediaTypes.ociLayerGzip, mediaTypes.ociLayer],
] as const)(
  'names gzip layers in %s with the port gzipLayer, and plain tars without it',
  async (form, gzip, plain) => {
    const { image, ports, diffIds } = await zstdImage();
    const context = { name: 'a', tag: 'b', unpackZstd: true };
    const layersOf = async (own: ConversionPorts) => {
      const { body, blobs } = await convertImage(image, form, { ...context, ports: own });
      return { layers: readManifest(body).dependencies, blobs };
    };
    const made = await layersOf({ ...ports, gzipLayer });
    const expected = await Promise.all(image.dependencies.map(gzipLayer));
    expect(made.layers.map(({ mediaType }) => mediaType)).toEqual(expected.map(() => gzip));
    expect(made.layers.map(({ digest, size }) => ({ digest, size }))).toEqual(expected);
    expect(made.blobs).toEqual(
      expected.map(({ digest, size }, index) => ({
        ...{ kind: 'layer', digest, size },
        packed: image.dependencies[index]?.digest,
      })),
    );
    const tars = await layersOf(ports);
    expect(tars.layers.map(({ mediaType }) => mediaType)).toEqual(expected.map(() => plain));
    expect(tars.layers.map(({ digest }) => digest)).toEqual(diffIds);
  },
);

test('an image with zstd layers and others derives the zstd layers alone', async () => {
  const registry = new MemoryRegistry();
  const layers = [
    registry.layer(mediaTypes.ociLayerGzip, 'a'),
    registry.layer(mediaTypes.ociLayerZstd, 'b', 'zstd'),
    registry.layer(mediaTypes.ociLayer, 'c', 'none'),
  ];
  const config = registry.add(mediaTypes.ociConfig, {
    rootfs: { type: 'layers', diff_ids: ['a', 'b', 'c'].map(diffIdOf) },
    history: layers.map(() => ({ created: '2024-01-01T00:00:00Z' })),
  });
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers };
  const image = registry.read(registry.add(mediaTypes.ociManifest, manifest)) as Image;
  const { body, blobs } = await convertImage(image, 'oci', { ...registry.context, unpackZstd: true });
  expect(readManifest(body).dependencies.map(({ digest }) => digest)).toEqual([
    layers[0]?.digest,
    diffIdOf('b'),
    layers[2]?.digest,
  ]);
  expect(blobs).toEqual([{ kind: 'layer', digest: diffIdOf('b'), packed: layers[1]?.digest, size: 100 }]);
});

// podman 4.3 and stargz-snapshotter write the older name of zstd:chunked (test/corpus).
test.each([
  'io.containers.zstd-chunked.manifest-checksum',
  'io.containers.zstd-chunked.manifest-position',
  'io.github.containers.zstd-chunked.manifest-checksum',
  'io.github.containers.zstd-chunked.tarsplit-position',
  'containerd.io/snapshot/stargz/toc.digest',
])('a decompressed layer loses the annotation %s, and keeps others', async (name) => {
  const { image, ports } = await zstdImage({ [name]: '1:2:3:1', on: 'layer' });
  const { body } = await convertImage(image, 'oci', { name: 'a', tag: 'b', unpackZstd: true, ports });
  const { layers } = JSON.parse(new TextDecoder().decode(body));
  expect(layers.map(({ annotations }: { annotations: object }) => annotations)).toEqual(
    image.dependencies.map(() => ({ on: 'layer' })),
  );
});
