import { digestOf, type LayerFacts, mediaTypes } from '../../../converters/index.ts';
import type { StoredCase } from './stored-case.ts';

const encoder = new TextEncoder();

interface Document {
  readonly mediaType: string;
  readonly size: number;
  readonly digest: string;
}

/** Builds a case that none of the installed tools can make. */
function handMade(name: string, madeBy: string, build: (builder: CaseBuilder) => Document): StoredCase {
  const builder = new CaseBuilder();
  const root = build(builder).digest as StoredCase['root'];
  const { documents, layers } = builder;
  const rest = { repository: `hand-made/${name}`, tag: 'latest', unpackZstd: false };
  return { name: `hand-${name}`, madeBy, root, documents, layers, ...rest };
}

/** Collects the documents and layers of a case. */
class CaseBuilder {
  readonly documents = new Map<string, Uint8Array>();
  readonly layers = new Map<string, LayerFacts>();

  add(mediaType: string, value: unknown, indent = 0): Document {
    const bytes = encoder.encode(JSON.stringify(value, null, indent));
    const digest = digestOf(bytes);
    this.documents.set(digest, bytes);
    return { mediaType, size: bytes.length, digest };
  }

  layer(mediaType: string, seed: string): Document & { readonly diffId: string } {
    const diffId = digestOf(encoder.encode(`unpacked ${seed}`));
    const digest = digestOf(encoder.encode(`packed ${seed}`));
    this.layers.set(digest, { compression: 'gzip', packedSize: 1234, size: 5678, diffId });
    return { mediaType, size: 1234, digest, diffId };
  }

  image(seed: string, architecture = 'amd64', extra: Extra = {}): Document {
    const layers = ['base', 'top'].map((each) => this.layer(mediaTypes.ociLayerGzip, `${seed} ${each}`));
    const config = {
      architecture,
      os: 'linux',
      ...extra.config,
      config: { Cmd: ['/bin/sh'], Healthcheck: { Test: ['CMD', 'true'], Interval: 30_000_000_000 } },
      rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
      history: layers.map((_, index) => ({
        created: `2024-01-0${index + 1}T00:00:00Z`,
        created_by: `step ${index}`,
      })),
    };
    const manifest = {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: this.add(mediaTypes.ociConfig, config),
      layers: layers.map(({ diffId: _, ...layer }) => ({ ...layer, ...extra.layer })),
      ...extra.manifest,
    };
    return this.add(mediaTypes.ociManifest, manifest, 2);
  }

  index(manifests: readonly object[], extra: object = {}): Document {
    return this.add(
      mediaTypes.ociIndex,
      { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests, ...extra },
      2,
    );
  }
}

interface Extra {
  readonly manifest?: object;
  readonly layer?: object;
  readonly config?: object;
}

function on(architecture: string, extra: object = {}) {
  return { platform: { architecture, os: 'linux', ...extra } };
}

/** An image with every member of OCI 1.1 that other forms cannot hold. */
function annotated(builder: CaseBuilder): Document {
  return builder.image('annotated', 'arm', {
    manifest: {
      subject: builder.image('subject'),
      annotations: { 'org.opencontainers.image.title': 'Title & <more>', 10: 'ten', 9: 'nine' },
      'org.example.unknown': [1, { two: 2 }],
    },
    layer: { annotations: { 'org.example.layer': 'yes' }, urls: ['https://example.com/layer'] },
    config: { variant: 'v7', 'os.version': '1.2', 'os.features': ['a', 'b'] },
  });
}

/** An index with detailed platforms, entries that are not images, and an inner index. */
function motley(builder: CaseBuilder): Document {
  const amd64 = builder.image('motley');
  const helm = builder.add(mediaTypes.ociManifest, {
    schemaVersion: 2,
    config: builder.add('application/vnd.cncf.helm.config.v1+json', { name: 'chart' }),
    layers: [],
  });
  const inner = builder.index([{ ...builder.image('inner', 'riscv64'), ...on('riscv64') }]);
  return builder.index(
    [
      {
        ...amd64,
        ...on('amd64', { 'os.version': '10.0', 'os.features': ['win32k'] }),
        annotations: { a: 'b' },
      },
      { ...builder.image('unlabelled', 's390x') },
      { ...inner },
      { ...helm },
      { ...helm, artifactType: 'application/vnd.cncf.helm.config.v1+json' },
      {
        ...builder.add(mediaTypes.ociManifest, { attestation: true }),
        ...on('unknown', { os: 'unknown' }),
        annotations: {
          'vnd.docker.reference.digest': amd64.digest,
          'vnd.docker.reference.type': 'attestation-manifest',
        },
      },
    ],
    { annotations: { index: 'yes' }, subject: amd64 },
  );
}

/** A generic manifest with labels of every JSON type, an attachment, and layers that the target orders. */
function labelled(builder: CaseBuilder): Document {
  const layers = ['a', 'b', 'c'].map((seed) => builder.layer(mediaTypes.genericLayer, seed));
  const [a, b, c] = layers as [(typeof layers)[0], (typeof layers)[0], (typeof layers)[0]];
  // The middle layer is uncompressed: its digest is its diff_id.
  builder.layers.set(b.diffId, { compression: 'none', packedSize: 99, size: 99, diffId: b.diffId as never });
  const plain = { mediaType: mediaTypes.genericLayer, size: 99, digest: b.diffId };
  const config = {
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [a.diffId, b.diffId, c.diffId] },
  };
  const bare = ({ mediaType, size, digest }: Document) => ({ mediaType, size, digest });
  return builder.add(
    mediaTypes.generic,
    {
      schemaVersion: 2,
      target: {
        ...builder.add(mediaTypes.dockerConfig, config),
        labels: { count: 3, nested: { deep: [true, null] } },
      },
      dependencies: [
        plain,
        { ...bare(a), labels: { role: 'base' } },
        {
          mediaType: 'text/plain',
          size: 3,
          digest: digestOf(encoder.encode('MIT')),
          labels: { role: 'licence' },
        },
        bare(c),
      ],
      labels: { text: 'plain', number: 1.5, 'org.example': { any: 'json' } },
      unknown: true,
    },
    4,
  );
}

export function handMadeCases(): StoredCase[] {
  return [
    handMade('annotated', 'hand, after OCI image-spec 1.1', annotated),
    handMade('motley-index', 'hand, after OCI image-spec 1.1', motley),
    handMade('labelled-generic', 'hand, after distribution proposal 993', labelled),
  ];
}
