import type { ConversionContext } from '../../converters/conversion.ts';
import { generateSigningKey } from '../../converters/crypto/signing-key.ts';
import { type Digest, digestOf } from '../../converters/digest.ts';
import { convertImage } from '../../converters/images/convert-image.ts';
import { convertIndex } from '../../converters/indexes/convert-index.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { readManifest } from '../../converters/read.ts';

/** A conversion whose cost is measured in every runtime. All content that it reads is in memory. */
export interface ConverterCase {
  readonly name: string;
  /** The bound, in milliseconds of CPU. */
  readonly bound: number;
  readonly run: () => Promise<unknown>;
}

const encoder = new TextEncoder();
const blobs = new Map<Digest, Uint8Array>();
/** The signing key, made at its first use: a Worker may not use randomness before its first request. */
let key: ReturnType<typeof generateSigningKey> | undefined;

const context: ConversionContext = {
  ports: {
    fetchManifest: async ({ digest }) => blob(digest),
    fetchBlob: async ({ digest }) => blob(digest),
    sniffLayer: async () => 'gzip',
    layerFacts: async () => {
      throw new Error('no layer is read here');
    },
    signingKey: () => {
      key ??= generateSigningKey();
      return key;
    },
  },
  name: 'library/bench',
  tag: 'latest',
  unpackZstd: false,
};

function blob(digest: Digest): Uint8Array {
  const bytes = blobs.get(digest);
  if (!bytes) throw new Error(`no ${digest}`);
  return bytes;
}

function add(value: unknown, indent = 0) {
  const bytes = encoder.encode(JSON.stringify(value, null, indent));
  const digest = digestOf(bytes);
  blobs.set(digest, bytes);
  return { size: bytes.length, digest };
}

/** An image of a long Dockerfile: half of its history entries have a layer. */
function image(entries: number, architecture: string) {
  const layers = Array.from({ length: Math.ceil(entries / 2) }, (_, index) => ({
    mediaType: mediaTypes.dockerLayerGzip,
    size: 1_000_000 + index,
    digest: digestOf(encoder.encode(`layer ${architecture} ${index}`)),
  }));
  const history = Array.from({ length: entries }, (_, index) => ({
    created: `2024-05-06T07:08:${String(index % 60).padStart(2, '0')}.123456789Z`,
    created_by: `/bin/sh -c apt-get update && apt-get install -y package-${index} && rm -rf /var/lib/apt/lists/*`,
    comment: 'buildkit.dockerfile.v0',
    ...(index % 2 ? { empty_layer: true } : {}),
  }));
  const config = {
    architecture,
    config: {
      Env: Array.from({ length: 20 }, (_, index) => `VARIABLE_${index}=${'value'.repeat(8)}`),
      Cmd: ['run'],
    },
    created: '2024-05-06T07:08:09.123456789Z',
    history,
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.schema2,
    config: { mediaType: mediaTypes.dockerConfig, ...add(config) },
    layers,
  };
  return { mediaType: mediaTypes.schema2, ...add(manifest, 3) };
}

const architectures = [
  'amd64',
  'arm64',
  'arm',
  '386',
  'ppc64le',
  's390x',
  'riscv64',
  'mips64le',
  'loong64',
  'sparc64',
];

function index() {
  const manifests = architectures.map((architecture) => ({
    ...image(20, architecture),
    platform: { architecture, os: 'linux' },
  }));
  return add({ schemaVersion: 2, mediaType: mediaTypes.dockerList, manifests }, 3);
}

function imageOf(digest: Digest) {
  const model = readManifest(blob(digest));
  if (model.kind !== 'image') throw new Error('an index');
  return model;
}

function indexOf(digest: Digest) {
  const model = readManifest(blob(digest));
  if (model.kind !== 'index') throw new Error('an image');
  return model;
}

const sixty = image(60, 'amd64').digest;
const list = index().digest;
export const converterCases: readonly ConverterCase[] = [
  {
    name: '60 entries, schema 2 → signed schema 1',
    bound: 1.5,
    run: () => convertImage(imageOf(sixty), 'schema1', context),
  },
  { name: '60 entries, schema 2 → OCI', bound: 1, run: () => convertImage(imageOf(sixty), 'oci', context) },
  { name: '10 platforms, list → index', bound: 5, run: () => convertIndex(indexOf(list), 'oci', context) },
  {
    name: '10 platforms, list → fat generic',
    bound: 5,
    run: () => convertIndex(indexOf(list), 'generic', context),
  },
];
