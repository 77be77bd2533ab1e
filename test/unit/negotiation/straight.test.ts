import { expect, it } from 'vitest';
import { digestOf } from '../../../converters/digest.ts';
import { mediaTypes } from '../../../converters/media-types.ts';
import type { ManifestInfo } from '../../../src/negotiation/negotiate.ts';
import { obstacleFor, straightClient } from '../../../src/negotiation/straight.ts';

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
