import type { SampleContent, SampleDescriptor } from './content.ts';
import { dockerList, schema2 } from './docker.ts';
import {
  fatGenericWithLabels,
  fatGenericWithTable,
  generic62,
  generic993,
  genericWithV1Target,
} from './generic.ts';
import { amd64, arm64, type SamplePlatform, sampleImage } from './image.ts';
import { helmChart, ociIndex, ociIndexWithAttestations, ociManifest, zstdLayers } from './oci.ts';
import { schema1Signed, schema1Unsigned } from './schema1.ts';

/** A repository of the sample registry, before it is built. */
export interface Sample {
  readonly name: string;
  /** A description in one line, printed at start and in the README. */
  readonly description: string;
  /** Adds all content of the sample, and returns the manifest that its tags point to. */
  readonly build: (content: SampleContent) => SampleDescriptor;
}

export const sampleTags = ['1.0', 'latest'] as const;

const armPlatforms: readonly SamplePlatform[] = [
  { os: 'linux', architecture: 'arm', variant: 'v7' },
  { os: 'linux', architecture: 'arm', variant: 'v6' },
  { os: 'linux', architecture: 'arm', variant: 'v5' },
  arm64,
  amd64,
];

export const samples: readonly Sample[] = [
  sample(
    'generic',
    'generic manifest of proposal 62, gzip layers whose type does not say so',
    (content, name) => generic62(content, sampleImage(name)),
  ),
  sample(
    'generic-993',
    'generic manifest of proposal 993, plain tar layers in the wrong order, a licence',
    (content, name) => generic993(content, sampleImage(name)),
  ),
  sample('generic-v1-target', 'generic manifest whose target is a v1 image JSON of 2015', (content, name) =>
    genericWithV1Target(content, sampleImage(name)),
  ),
  sample('fat-generic', 'fat generic manifest, platforms in labels: amd64, arm64', (content, name) =>
    fatGenericWithLabels(content, [sampleImage(name), sampleImage(name, arm64)]),
  ),
  sample(
    'fat-generic-table',
    'fat generic manifest, platforms in a table, manifests kept as blobs',
    (content, name) => fatGenericWithTable(content, [sampleImage(name), sampleImage(name, arm64)]),
  ),
  sample('schema1', 'signed schema 1 as Docker 1.9 pushed it, with an empty layer', (content, name) =>
    schema1Signed(content, name, sampleImage(name)),
  ),
  sample('schema1-unsigned', 'schema 1 without a signature', (content, name) =>
    schema1Unsigned(content, name, sampleImage(name)),
  ),
  sample('schema2', 'Docker schema 2, gzip layers', (content, name) => schema2(content, sampleImage(name))),
  sample('schema2-empty-layers', 'Docker schema 2, history entries without a layer', (content, name) =>
    schema2(content, sampleImage(name, amd64, 'with-empty-entries')),
  ),
  sample('schema2-plain-tar', 'Docker schema 2, layers not compressed', (content, name) =>
    schema2(content, sampleImage(name), 'none'),
  ),
  sample('list', 'Docker manifest list: amd64, arm64, 386', (content, name) =>
    dockerList(
      content,
      perPlatform([amd64, arm64, { os: 'linux', architecture: '386' }], (platform) =>
        schema2(content, sampleImage(name, platform)),
      ),
    ),
  ),
  sample('oci', 'OCI manifest, gzip layers', (content, name) => ociManifest(content, sampleImage(name))),
  sample('oci-no-history', 'OCI manifest whose config has no history', (content, name) =>
    ociManifest(content, sampleImage(name, amd64, 'none')),
  ),
  sample('oci-zstd', 'OCI manifest, zstd layers with and without a size in the frame', (content, name) =>
    ociManifest(content, sampleImage(name), zstdLayers),
  ),
  sample('index', 'OCI index with attestations, as BuildKit writes it: amd64, arm64', (content, name) =>
    ociIndexWithAttestations(
      content,
      perPlatform([amd64, arm64], (platform) => ociManifest(content, sampleImage(name, platform))),
    ),
  ),
  sample('index-arm', 'OCI index of arm v7, v6, v5, arm64 and amd64', (content, name) =>
    ociIndex(
      content,
      perPlatform(armPlatforms, (platform) => ociManifest(content, sampleImage(name, platform))),
    ),
  ),
  sample('index-zstd', 'OCI index, zstd layers: amd64, arm64', (content, name) =>
    ociIndex(
      content,
      perPlatform([amd64, arm64], (platform) =>
        ociManifest(content, sampleImage(name, platform), zstdLayers),
      ),
    ),
  ),
  sample('helm-chart', 'OCI artifact that is not an image', (content, name) =>
    helmChart(content, sampleImage(name)),
  ),
];

function sample(
  kind: string,
  description: string,
  build: (content: SampleContent, name: string) => SampleDescriptor,
): Sample {
  const name = `sample/${kind}`;
  return { name, description, build: (content) => build(content, name) };
}

function perPlatform(
  platforms: readonly SamplePlatform[],
  manifestOf: (platform: SamplePlatform) => SampleDescriptor,
) {
  return platforms.map((platform) => ({ platform, manifest: manifestOf(platform) }));
}
