import { digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { gzip } from '../../src/sample-registry/gzip.ts';
import { zstd } from '../../src/sample-registry/zstd.ts';
import {
  addImage,
  addIndex,
  type BuiltDescriptor,
  type BuiltRepository,
  compressedFor,
  json,
  layerWith,
  linux,
} from './built-repository.ts';
import { concatenated } from './byte-streams.ts';

const { schema2, dockerList, ociManifest, ociIndex, ociConfig, ociLayerGzip, ociLayerZstd } = mediaTypes;

/** An image in the shape that a builder writes, made from the builder's public description. */
export interface BuilderShape {
  readonly name: string;
  /** Adds it, and returns what the tag names. */
  readonly add: (built: BuiltRepository) => BuiltDescriptor;
  /** The files of the image for linux/amd64, one for each layer, base first; absent for content that is no image. */
  readonly files?: readonly string[];
}

type Image = Parameters<typeof addImage>[1] & { readonly annotations?: object };

const image = (name: string, parts: Image, files = ['base', 'top']): BuilderShape => ({
  name,
  files,
  add: (built) => addImage(built, { files, ...parts }),
});

/** An image whose layers a test compresses in its own way, as gzip of several members or zstd of several frames. */
function compressedOtherwise(
  name: string,
  layerType: string,
  compress: (tar: Uint8Array) => Uint8Array,
  annotations: (layer: Uint8Array) => object = () => ({}),
): BuilderShape {
  const files = ['base', 'top'];
  return {
    name,
    files,
    add(built) {
      const layers = files.map((file) => {
        const bytes = compress(layerWith(file).tar);
        return { ...built.blob(layerType, bytes), ...annotations(bytes) };
      });
      return addImage(built, { files, layerType, manifest: { layers } });
    },
  };
}

const halves = (tar: Uint8Array) => [tar.subarray(0, 700), tar.subarray(700)] as const;

/** BuildKit's attestation of an image: an OCI manifest of statements, with the image as its subject. */
function attestationOf(built: BuiltRepository, subject: BuiltDescriptor, hasSubject: boolean): object {
  const config = built.blob(
    hasSubject ? 'application/vnd.oci.empty.v1+json' : ociConfig,
    hasSubject
      ? json({})
      : json({ architecture: 'unknown', os: 'unknown', rootfs: { type: 'layers', diff_ids: [] } }),
  );
  const layers = [
    built.blob('application/vnd.in-toto+json', json({ _type: 'https://in-toto.io/Statement/v0.1' })),
  ];
  const more = hasSubject
    ? { artifactType: 'application/vnd.docker.attestation.manifest.v1+json', subject }
    : {};
  const document = { schemaVersion: 2, mediaType: ociManifest, config, layers, ...more };
  return {
    ...built.manifest(ociManifest, document),
    annotations: {
      'vnd.docker.reference.digest': subject.digest,
      'vnd.docker.reference.type': 'attestation-manifest',
    },
    platform: { architecture: 'unknown', os: 'unknown' },
  };
}

const ofBuildkit = (hasSubject: boolean) => (built: BuiltRepository) => {
  const child = addImage(built);
  return addIndex(built, [{ ...child, ...linux('amd64') }, attestationOf(built, child, hasSubject)]);
};

function artifact(name: string, configType: string, layerType: string): BuilderShape {
  return {
    name,
    add(built) {
      const config = built.blob(configType, json({ name }));
      const layers = [built.blob(layerType, json({ content: name }))];
      return built.manifest(ociManifest, { schemaVersion: 2, mediaType: ociManifest, config, layers });
    },
  };
}

/** The name of a blob by SHA-512 (OCI image-spec, descriptor.md, "SHA-512"). */
async function sha512Of(bytes: Uint8Array): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-512', bytes.slice()));
  return `sha512:${Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

const sha512 = await Promise.all(
  ['base', 'top'].map(async (file) => {
    const bytes = compressedFor(ociLayerGzip, layerWith(file).tar);
    return { bytes, digest: await sha512Of(bytes) };
  }),
);

/** An index that names its image by SHA-512. */
function ofSha512(name: string, layerType: string): BuilderShape {
  return {
    name,
    files: ['base', 'top'],
    add(built) {
      const { digest } = addImage(built, { layerType });
      const bytes = built.manifests.get(digest)?.bytes ?? new Uint8Array();
      const child = built.manifest(ociManifest, bytes, digestOf(bytes, 'sha512'));
      return addIndex(built, [{ ...child, ...linux('amd64') }]);
    },
  };
}

/** A schema 2 manifest or a list that does not state its type, as old registries stored some. */
const withoutMediaType = (built: BuiltRepository, { mediaType, digest }: BuiltDescriptor) => {
  const { mediaType: _, ...document } = JSON.parse(
    new TextDecoder().decode(built.manifests.get(digest)?.bytes),
  );
  return built.manifest(mediaType, document);
};

const created = {
  kaniko: '0001-01-01T00:00:00Z',
  jib: '1970-01-01T00:00:00Z',
  packs: '1980-01-01T00:00:01Z',
};

export const builderShapes: readonly BuilderShape[] = [
  image('kaniko', {
    mediaType: schema2,
    config: {
      author: 'kaniko',
      created: created.kaniko,
      history: [
        { created: created.kaniko, created_by: '/bin/sh -c #(nop) ADD file in /' },
        { author: 'kaniko', created: created.kaniko, created_by: 'ENV A=b', empty_layer: true },
        { author: 'kaniko', created: created.kaniko, created_by: 'RUN make' },
      ],
    },
  }),
  image('jib', {
    mediaType: schema2,
    config: {
      created: created.jib,
      history: ['dependencies', 'classes'].map((comment) => ({
        ...{ created: created.jib, author: 'Jib', created_by: 'jib-maven-plugin:3.4.0', comment },
      })),
    },
  }),
  {
    name: 'ko',
    files: ['base', 'top'],
    add(built) {
      const child = addImage(built, {
        config: {
          author: 'github.com/ko-build/ko',
          created: undefined,
          history: [{}, { author: 'ko', created_by: 'ko build ko://example', comment: 'go build output' }],
        },
      });
      return addIndex(built, [{ ...child, ...linux('amd64') }]);
    },
  },
  image('Nix', { config: { created: '1970-01-01T00:00:01+00:00', history: undefined } }, [
    'glibc',
    'bash',
    'app',
  ]),
  {
    name: 'apko',
    files: ['base', 'ca', 'app'],
    add(built) {
      const history = [
        { author: 'apko', created: created.jib, created_by: 'apko', comment: 'an apko image' },
      ];
      const child = addImage(built, { files: ['base', 'ca', 'app'], config: { author: 'apko', history } });
      return addIndex(built, [{ ...child, ...linux('amd64') }]);
    },
  },
  {
    name: 'rules_oci',
    files: ['base', 'app'],
    add(built) {
      const config = { created: undefined, history: [{ created: created.jib, created_by: 'bazel' }] };
      const child = addImage(built, { files: ['base', 'app'], config });
      return addIndex(built, [{ ...child, ...linux('amd64') }]);
    },
  },
  image('buildpacks', {
    mediaType: schema2,
    config: {
      created: created.packs,
      history: [{ created: created.packs }, { created: created.packs, created_by: 'Layer: launcher' }],
      config: {
        Entrypoint: ['/cnb/process/web'],
        Labels: { 'io.buildpacks.stack.id': 'x', big: 'y'.repeat(20_000) },
      },
    },
  }),
  {
    name: 'a list with Windows',
    files: ['base', 'top'],
    add(built) {
      const windows = addImage(built, {
        mediaType: schema2,
        files: ['Windows'],
        platform: { os: 'windows', architecture: 'amd64' },
        config: { 'os.version': '10.0.17763.5329' },
      });
      const platform = { os: 'windows', architecture: 'amd64', 'os.version': '10.0.17763.5329' };
      return addIndex(
        built,
        [
          { ...windows, platform },
          { ...addImage(built, { mediaType: schema2 }), ...linux('amd64') },
        ],
        dockerList,
      );
    },
  },
  artifact('wasm', 'application/vnd.wasm.config.v0+json', 'application/wasm'),
  artifact(
    'a chart',
    'application/vnd.cncf.helm.config.v1+json',
    'application/vnd.cncf.helm.chart.content.v1.tar+gzip',
  ),
  compressedOtherwise(
    'estargz',
    ociLayerGzip,
    (tar) => concatenated(...halves(tar).map(gzip), gzip(new Uint8Array())),
    (layer) => ({
      annotations: {
        'containerd.io/snapshot/stargz/toc.digest': `sha256:${'a'.repeat(64)}`,
        'io.containers.estargz.uncompressed-size': String(layer.length),
      },
    }),
  ),
  compressedOtherwise(
    'zstd:chunked',
    ociLayerZstd,
    (tar) => zstd(tar, { contentSize: true, frames: 3, skippable: 'last' }),
    () => ({
      annotations: { 'io.github.containers.zstd-chunked.manifest-checksum': `sha256:${'b'.repeat(64)}` },
    }),
  ),
  compressedOtherwise('zstd of several frames', ociLayerZstd, (tar) =>
    zstd(tar, { contentSize: false, frames: 4 }),
  ),
  compressedOtherwise('gzip of several members', ociLayerGzip, (tar) =>
    concatenated(...halves(tar).map(gzip)),
  ),
  image(
    'no layers',
    { config: { history: [{ created: created.jib, created_by: 'LABEL a=b', empty_layer: true }] } },
    [],
  ),
  image('2 MB of annotations', {
    manifest: {
      annotations: Object.fromEntries([...'abcdefgh'].map((key) => [key, key.repeat(256 * 1024)])),
    },
  }),
  {
    name: 'nested',
    files: ['base', 'top'],
    add: (built) => {
      const inner = addIndex(built, [{ ...addImage(built), ...linux('amd64') }]);
      const arm = {
        ...addImage(built, { platform: linux('arm64').platform, files: ['arm'] }),
        ...linux('arm64'),
      };
      return addIndex(built, [inner, arm]);
    },
  },
  {
    name: 'a cache index',
    add(built) {
      const layer = built.blob(ociLayerGzip, compressedFor(ociLayerGzip, layerWith('cached').tar));
      return addIndex(built, [
        layer,
        built.blob('application/vnd.buildkit.cacheconfig.v0', json({ layers: [] })),
      ]);
    },
  },
  {
    name: 'a subject',
    files: ['base', 'top'],
    add: (built) => {
      const subject = addImage(built, { files: ['other'] });
      return addImage(built, { manifest: { subject } });
    },
  },
  {
    name: 'sha512 digests',
    files: ['base', 'top'],
    add(built) {
      const layers = sha512.map(({ bytes, digest }) => built.blob(ociLayerGzip, bytes, digest));
      return addImage(built, { manifest: { layers } });
    },
  },
  ofSha512('an index by sha512', ociLayerGzip),
  ofSha512('an index by sha512 of zstd layers', ociLayerZstd),
  { name: 'attestations', files: ['base', 'top'], add: ofBuildkit(false) },
  { name: 'attestations with a subject', files: ['base', 'top'], add: ofBuildkit(true) },
  image('schema 2 with Docker’s zstd type', { mediaType: schema2, layerType: mediaTypes.dockerLayerZstd }),
  ...['application/json', 'text/html', ''].map((configType) =>
    image(`schema 2 with a config of type "${configType}"`, { mediaType: schema2, configType }),
  ),
  {
    name: 'schema 2 without mediaType',
    files: ['base', 'top'],
    add: (built) => withoutMediaType(built, addImage(built, { mediaType: schema2 })),
  },
  {
    name: 'a list without mediaType',
    files: ['base', 'top'],
    add(built) {
      const child = { ...addImage(built, { mediaType: schema2 }), ...linux('amd64') };
      return withoutMediaType(
        built,
        built.manifest(dockerList, { schemaVersion: 2, mediaType: dockerList, manifests: [child] }),
      );
    },
  },
  image('schema 2 with OCI types', { mediaType: schema2, configType: ociConfig, layerType: ociLayerGzip }),
  {
    name: 'both compressions',
    files: ['base', 'top'],
    add(built) {
      const annotations = { 'io.github.containers.compression.zstd': 'true' };
      const zstdImage = { ...addImage(built, { layerType: ociLayerZstd }), ...linux('amd64'), annotations };
      return built.manifest(ociIndex, {
        schemaVersion: 2,
        mediaType: ociIndex,
        manifests: [zstdImage, { ...addImage(built), ...linux('amd64') }],
      });
    },
  },
];
