import { noLabels } from '../annotations.ts';
import type { Bytes } from '../bytes.ts';
import { type Digest, digestOf } from '../digest.ts';
import { ConversionError } from '../errors.ts';
import { emptyDiffIds } from '../formats/schema1/empty-layer.ts';
import { configFromBareV1, configFromV1 } from '../formats/schema1/to-config.ts';
import { v1Steps } from '../formats/schema1/v1-steps.ts';
import { readImageConfig } from '../image-config.ts';
import { asObject, rootField } from '../json/fields.ts';
import { mediaTypes } from '../media-types.ts';
import type { Descriptor, Image, Layer, V1Target } from '../model.ts';
import type { ConversionPorts } from '../ports.ts';
import { withConfigOf } from './read-config.ts';
import type { ConversionStep, PreparedImage } from './step.ts';

/** Makes a config with diff_ids for an image without them (schema 1, or a bare v1 JSON). This reads the layers. */
export const makeConfig: ConversionStep = async (prepared, ports) => {
  const { target } = prepared.image;
  if (target.kind === 'v1') return fromSchema1(prepared.image, target, ports);
  const { image, config, blobs } = await withConfigOf(prepared, ports);
  if (config.diffIds !== undefined) return { image, config, blobs };
  const dependencies = await measureLayers(image.dependencies, ports);
  const root = asObject(rootField(config.document));
  return withDerivedConfig(image, dependencies, configFromBareV1(root, dependencies.map(diffIdOf)));
};

/** Removes layers without files, including those that only reading shows to be empty. */
async function fromSchema1(image: Image, target: V1Target, ports: ConversionPorts): Promise<PreparedImage> {
  const steps = v1Steps(target, image.dependencies);
  const layers = await measureLayers(
    steps.flatMap(({ layer }) => layer ?? []),
    ports,
  );
  const empty = new Set(layers.filter(({ diffId }) => emptyDiffIds.has(diffId)).map(({ digest }) => digest));
  const dependencies = layers.filter(({ digest }) => !empty.has(digest));
  const without = steps.map(({ entry, layer }) => ({
    entry,
    layer: layer && !empty.has(layer.digest) ? layer : undefined,
  }));
  return withDerivedConfig(image, dependencies, configFromV1(without, dependencies.map(diffIdOf)));
}

interface MeasuredLayer extends Layer {
  readonly diffId: Digest;
}

function diffIdOf({ diffId }: MeasuredLayer): Digest {
  return diffId;
}

/** Measures layers; each digest is read once. */
async function measureLayers(layers: readonly Layer[], ports: ConversionPorts): Promise<MeasuredLayer[]> {
  const different = [...new Map(layers.map((layer) => [layer.digest, layer])).values()];
  const facts = await Promise.all(different.map((layer) => ports.layerFacts(layer)));
  const byDigest = new Map(different.map((layer, index) => [layer.digest, facts[index]]));
  return layers.map((layer) => {
    const fact = byDigest.get(layer.digest);
    if (!fact) throw new ConversionError({ code: 'UNAVAILABLE', message: 'A layer could not be read' });
    return { ...layer, size: fact.packedSize, compression: fact.compression, diffId: fact.diffId };
  });
}

function withDerivedConfig(image: Image, dependencies: readonly Layer[], bytes: Bytes): PreparedImage {
  const digest = digestOf(bytes);
  const descriptor: Descriptor = {
    mediaType: mediaTypes.dockerConfig,
    digest,
    size: bytes.length,
    urls: [],
    labels: noLabels,
    field: undefined,
  };
  return {
    image: { ...image, target: { kind: 'config', descriptor }, dependencies },
    config: readImageConfig(bytes),
    blobs: [{ kind: 'config', digest, bytes }],
  };
}
