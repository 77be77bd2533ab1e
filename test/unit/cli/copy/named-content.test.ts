import { expect, test } from 'vitest';
import { digestOf } from '../../../../converters/digest.ts';
import { mediaTypes } from '../../../../converters/media-types.ts';
import { manifestContent } from '../../../../src/cli/copy/named-content.ts';

const named = (text: string, mediaType: string) => {
  const bytes = new TextEncoder().encode(text);
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
};
const bytesOf = (value: object) => new TextEncoder().encode(JSON.stringify(value));
const config = named('config', mediaTypes.dockerConfig);
const layer = named('layer', mediaTypes.dockerLayerGzip);
const foreign = { ...named('foreign', mediaTypes.dockerForeignGzip), urls: ['https://files.example/layer'] };

const digests = (bytes: Uint8Array, mediaType: string) => {
  const { blobs, manifests } = manifestContent(bytes, mediaType);
  return { blobs: blobs.map(({ digest }) => digest), manifests: manifests.map(({ digest }) => digest) };
};

test('an image names its config and layers, and no foreign layer, which registries do not store', () => {
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.schema2, config, layers: [foreign, layer] };
  expect(digests(bytesOf(manifest), mediaTypes.schema2)).toEqual({
    blobs: [config.digest, layer.digest],
    manifests: [],
  });
});

test('an index names manifests', () => {
  const child = { ...named('{}', mediaTypes.ociManifest), platform: { os: 'linux', architecture: 'amd64' } };
  const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [child] };
  expect(digests(bytesOf(index), mediaTypes.ociIndex)).toEqual({ blobs: [], manifests: [child.digest] });
});

test('the index of a BuildKit cache names blobs', () => {
  const cached = named('cache', 'application/vnd.buildkit.cacheconfig.v0');
  const packed = named('layer', mediaTypes.ociLayerGzip);
  const artifact = named('{}', 'application/vnd.oci.artifact.manifest.v1+json');
  const manifests = [packed, cached, artifact];
  const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
  expect(digests(bytesOf(index), mediaTypes.ociIndex)).toEqual({
    blobs: [packed.digest, cached.digest],
    manifests: [artifact.digest],
  });
});

test('an artifact names its config and layers of any type', () => {
  const chart = named('chart', 'application/vnd.cncf.helm.chart.content.v1.tar+gzip');
  const own = named('{}', 'application/vnd.cncf.helm.config.v1+json');
  const artifact = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: own, layers: [chart] };
  expect(digests(bytesOf(artifact), mediaTypes.ociManifest)).toEqual({
    blobs: [own.digest, chart.digest],
    manifests: [],
  });
});

test('an artifact without layers names its config, where Go wrote null for its list, too', () => {
  const own = named('{}', 'application/vnd.acme.rules+json');
  const artifact = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: own, layers: null };
  expect(digests(bytesOf(artifact), mediaTypes.ociManifest)).toEqual({ blobs: [own.digest], manifests: [] });
});
