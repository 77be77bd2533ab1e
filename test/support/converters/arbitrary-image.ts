import fc from 'fast-check';
import {
  type ConversionContext,
  type Digest,
  digestOf,
  type LayerFacts,
  mediaTypes,
  type SigningKey,
} from '../../../converters/index.ts';
import { layOut, layouts } from './layouts.ts';
import { noPorts } from './no-ports.ts';

const encoder = new TextEncoder();

/** A stored image in the layout of some program. */
export interface ArbitraryImage {
  readonly bytes: Uint8Array;
  readonly config: Uint8Array;
  /** Base first. */
  readonly layers: readonly Digest[];
  readonly facts: ReadonlyMap<string, LayerFacts>;
  readonly history: readonly {
    readonly created_by?: string | undefined;
    readonly empty_layer?: boolean | undefined;
  }[];
}

const family = {
  schema2: {
    manifest: mediaTypes.schema2,
    config: mediaTypes.dockerConfig,
    layers: [mediaTypes.dockerLayerGzip, mediaTypes.dockerLayer],
  },
  oci: {
    manifest: mediaTypes.ociManifest,
    config: mediaTypes.ociConfig,
    layers: [mediaTypes.ociLayerGzip, mediaTypes.ociLayer],
  },
} as const;

const text = fc.string({ unit: 'binary', maxLength: 12 });
const created = fc
  .date({ min: new Date('1970-01-01T00:00:00Z'), max: new Date('2100-01-01T00:00:00Z'), noInvalidDate: true })
  .map((date) => date.toISOString());

const historyEntry = fc.record(
  { created, created_by: text, author: text, comment: text, empty_layer: fc.boolean() },
  { requiredKeys: [] },
);

const runConfig = fc.record(
  {
    Env: fc.array(text, { maxLength: 3 }),
    Cmd: fc.array(text, { maxLength: 3 }),
    Labels: fc.dictionary(text, text, { maxKeys: 3 }),
  },
  { requiredKeys: [] },
);

/** Images of schema 2 and OCI in every layout. Their configs have all members that a v1 image keeps. */
export const arbitraryImage: fc.Arbitrary<ArbitraryImage> = fc
  .record({
    dialect: fc.constantFrom('schema2', 'oci'),
    layout: fc.constantFrom(...layouts),
    history: fc.array(historyEntry, { maxLength: 12 }),
    architecture: fc.constantFrom('amd64', 'arm64', ''),
    config: runConfig,
    created,
    extra: fc.dictionary(
      fc.constantFrom('author', 'comment', 'docker_version', 'os.version', '10', 'x'),
      text,
    ),
    plain: fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }),
    seed: fc.nat(1000),
  })
  .map(({ dialect, layout, history, extra, plain, seed, ...rest }) => {
    const types = family[dialect as keyof typeof family];
    const filled = history.filter(({ empty_layer }) => !empty_layer);
    const layers = filled.map((_, index) =>
      layerOf(seed % 7 === index ? 'same' : `${seed} ${index}`, plain[index] ?? false),
    );
    // Docker re-encodes the config of old Docker versions; schema1-to-config.test.ts tests that.
    const { docker_version: _, ...more } = extra;
    const config = encoder.encode(
      JSON.stringify({
        ...rest,
        ...more,
        os: 'linux',
        rootfs: { type: 'layers', diff_ids: layers.map(({ facts }) => facts.diffId) },
        history,
      }),
    );
    const manifest = {
      schemaVersion: 2,
      mediaType: types.manifest,
      config: { mediaType: types.config, size: config.length, digest: digestOf(config) },
      layers: layers.map(({ digest, facts, plain: isPlain }) => ({
        mediaType: types.layers[isPlain ? 1 : 0],
        size: facts.packedSize,
        digest,
      })),
    };
    return {
      bytes: layOut(layout, manifest),
      config,
      layers: layers.map(({ digest }) => digest),
      facts: new Map(layers.map(({ digest, facts }) => [digest, facts])),
      history,
    };
  });

function layerOf(seed: string, plain: boolean) {
  const diffId = digestOf(encoder.encode(`unpacked ${seed}`));
  const digest = plain ? diffId : digestOf(encoder.encode(`packed ${seed}`));
  const compression: LayerFacts['compression'] = plain ? 'none' : 'gzip';
  return { digest, plain, facts: { compression, packedSize: seed.length, size: seed.length, diffId } };
}

/** Ports that return the image, and configs derived from it. @param made derived configs by digest. */
export function contextFor(
  { config, facts }: ArbitraryImage,
  signingKey: () => Promise<SigningKey>,
  made: ReadonlyMap<string, Uint8Array> = new Map(),
): ConversionContext {
  const layer = ({ digest }: { digest: string }) => facts.get(digest) ?? missing(digest);
  return {
    ...noPorts,
    ports: {
      ...noPorts.ports,
      fetchBlob: async ({ digest }) => made.get(digest) ?? config,
      sniffLayer: async (each) => layer(each).compression,
      layerFacts: async (each) => layer(each),
      signingKey,
    },
  };
}

function missing(digest: string): never {
  throw new Error(`${digest} is not of this image`);
}
