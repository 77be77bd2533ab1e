import { mapBounded } from '../concurrency.ts';
import type { Dialect } from '../errors.ts';
import { inTargetOrder } from '../formats/generic/order.ts';
import { verifySchema1 } from '../formats/schema1/verify.ts';
import { limits } from '../limits.ts';
import type { Compression } from '../media-types.ts';
import type { Layer } from '../model.ts';
import { decompressLayers } from './decompress-layers.ts';
import { makeConfig } from './make-config.ts';
import { readConfig, verifyConfig, withConfigOf } from './read-config.ts';
import type { ConversionStep, PreparedImage } from './step.ts';

interface StepRow {
  readonly run: ConversionStep;
  /** Dialects whose images the step may change; `prepareImage` skips the step for others. */
  readonly dialects: readonly Dialect[];
  /** One sentence for the README. */
  readonly description: string;
}

export type StepName = 'verify' | 'check' | 'order' | 'make' | 'probe' | 'decompress' | 'read';

/** Refuses a schema 1 manifest with an invalid signature before another step uses the manifest. */
const verifySignatures: ConversionStep = async (prepared, { turn }) => {
  await verifySchema1(prepared.image, turn);
  return prepared;
};

/** Puts the layers of a generic manifest in the order that its config states. */
const orderLayers: ConversionStep = async (prepared, ports) => {
  const { config, blobs, image } = await withConfigOf(prepared, ports);
  return { config, blobs, image: inTargetOrder(image, config) };
};

/** Reads the compression of layers whose media type does not state it, from their first bytes. */
const probeLayers: ConversionStep = (prepared, ports) =>
  withFirstBytes(prepared, async (layer) =>
    statesCompression(layer) ? layer.compression : ports.sniffLayer(layer),
  );

/** Finds zstd layers by their first bytes, whatever their media types say. */
export const withProbedLayers: ConversionStep = (prepared, ports) =>
  withFirstBytes(prepared, async (layer) => {
    if (layer.foreign || layer.encrypted || layer.compression === 'zstd') return layer.compression;
    return (await ports.sniffLayer(layer)) === 'zstd' ? 'zstd' : layer.compression;
  });

/** The image with the compression of each layer as `compressionOf` finds it. */
async function withFirstBytes(
  prepared: PreparedImage,
  compressionOf: (layer: Layer) => Promise<Compression>,
): Promise<PreparedImage> {
  const { image } = prepared;
  const dependencies = await mapBounded(image.dependencies, limits.fetches, async (layer) => {
    const compression = await compressionOf(layer);
    return compression === layer.compression ? layer : { ...layer, compression };
  });
  return { ...prepared, image: { ...image, dependencies } };
}

function statesCompression({ compression }: Layer): boolean {
  return compression !== 'unknown';
}

/** Every step that prepares an image for a writer, by its name in `conversion-graph.ts`. */
export const steps: Readonly<Record<StepName, StepRow>> = {
  verify: { run: verifySignatures, dialects: ['schema1'], description: 'verifies every signature' },
  check: {
    run: verifyConfig,
    dialects: ['schema2', 'oci'],
    description: 'reads a config of an uncertain type, to see whether it is an image config',
  },
  order: {
    run: orderLayers,
    dialects: ['generic'],
    description: 'reads the config, and puts the layers that its diff_ids name in that order',
  },
  make: {
    run: makeConfig,
    dialects: ['schema1', 'generic'],
    description: 'makes a config with diff_ids for an image without them; reads each layer once',
  },
  probe: {
    run: probeLayers,
    dialects: ['generic'],
    description: 'reads the first bytes of a layer whose type does not state the compression',
  },
  decompress: {
    run: decompressLayers,
    dialects: ['schema1', 'schema2', 'oci', 'generic'],
    description: 'replaces zstd layers by the plain tars inside, for clients that cannot decompress zstd',
  },
  read: { run: readConfig, dialects: ['schema2', 'oci', 'generic'], description: 'reads the config' },
};
