import { expect, it } from 'vitest';
import { digestOf } from '../../../converters/digest.ts';
import { mediaTypes } from '../../../converters/media-types.ts';
import type { Image } from '../../../converters/model.ts';
import { readManifest } from '../../../converters/read.ts';
import type { ManifestInfo } from '../../../src/negotiation/negotiate.ts';
import { depthObstacle, obstacleFor, straightClient } from '../../../src/negotiation/straight.ts';

const { generic, schema1Signed, schema2, dockerList, ociManifest, ociIndex } = mediaTypes;

const image = (mediaType: string, zstd = false): ManifestInfo => ({
  ...{ mediaType, zstd, entries: undefined, dockerZstdType: false, singleFamily: true },
});
const index = (mediaType: string, entry: string): ManifestInfo => ({
  ...image(mediaType),
  entries: [
    {
      mediaType: entry,
      digest: digestOf(new Uint8Array()),
      platform: undefined,
      attestation: false,
      zstd: false,
    },
  ],
});

it.each([
  ['docker-1.9', image(schema2), 'unsupported schema version 2'],
  ['docker-1.9', index(dockerList, schema2), 'no supported platform found in manifest list'],
  ['docker-1.10.0', image(ociManifest), 'missing signature key'],
  ['docker-1.13', image(ociManifest), 'missing signature key'],
  ['docker-1.13', index(ociIndex, ociManifest), 'missing signature key'],
  ['docker-1.13', image(schema2, true), 'archive/tar: invalid tar header'],
  ['docker-19.03.3', image(ociManifest), "mediaType in manifest should be '…' not '…'"],
  ['docker-19.03.0', image(ociManifest), "mediaType in manifest should be '…' not '…'"],
  ['docker-20.10', image(ociManifest, true), 'archive/tar: invalid tar header'],
  ['docker-20.10', index(ociIndex, ociIndex), 'unsupported manifest format'],
  [
    'docker-28',
    image(schema1Signed),
    'Docker Image manifest version 2, schema 1 support is disabled by default',
  ],
  [
    'lambda',
    index(ociIndex, ociManifest),
    'The image manifest, config or layer media type for the source image … is not supported.',
  ],
  ['skopeo', image(generic), undefined],
])('%s prints the message for what it cannot read: %o', (id, info, prints) => {
  const reader = straightClient(id);
  const obstacle = reader && obstacleFor(reader, info);
  expect(obstacle).toBeDefined();
  expect(obstacle?.prints).toBe(prints);
});

it.each([
  ['containerd-2.0.0', /^Pulling Schema 1 images/],
  ['containerd-2.1.0', /no longer supported since containerd v2\.1/],
])('%s prints the message of its version for schema 1', (id, prints) => {
  const reader = straightClient(id);
  expect(reader && obstacleFor(reader, image(schema1Signed))?.prints).toMatch(prints);
});

it.each([
  ['docker-20.10', image(ociManifest)],
  ['docker-28', image(ociManifest, true)],
])('%s reads %o', (id, info) => {
  const reader = straightClient(id);
  expect(reader && obstacleFor(reader, info)).toBeUndefined();
  expect(reader).toBeDefined();
});

/** Schema 1 with this many entries, of which each second one has no content. */
function schema1Of(entries: number): Image {
  const id = (at: number) => String(at).padStart(64, '0');
  const numbers = Array.from({ length: entries }, (_, at) => entries - at);
  const bytes = JSON.stringify({
    ...{ schemaVersion: 1, name: 'team/app', tag: '1.0', architecture: 'amd64' },
    fsLayers: numbers.map((at) => ({ blobSum: `sha256:${id(at)}` })),
    history: numbers.map((at) => {
      const parent = at > 1 ? { parent: id(at - 1) } : {};
      return { v1Compatibility: JSON.stringify({ id: id(at), ...parent, throwaway: at % 2 === 0 }) };
    }),
  });
  return readManifest(new TextEncoder().encode(bytes), mediaTypes.schema1) as Image;
}

it('entries of schema 1 without content are no layers for Docker', () => {
  const docker = straightClient('docker-20.10');
  expect(docker && depthObstacle(docker, schema1Of(250))).toBeUndefined();
  expect(docker && depthObstacle(docker, schema1Of(252))?.reason).toContain('and the image has 126');
});
