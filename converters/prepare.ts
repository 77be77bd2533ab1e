import { mapBounded } from './concurrency.ts';
import { type Digest, digestOf } from './digest.ts';
import { ConversionError } from './errors.ts';
import { asObject, rootField } from './fields.ts';
import { inTargetOrder } from './generic/order.ts';
import { type ImageConfig, readImageConfig } from './image-config.ts';
import { mediaTypes } from './media-types.ts';
import type { Descriptor, Image, Layer } from './model.ts';
import { type ConversionPorts, fetchConfig, hasImageConfigType } from './ports.ts';
import { verifySchema1 } from './schema1/read.ts';
import { configFromBareV1, configFromV1, v1Steps } from './schema1/to-config.ts';

/** A blob that a converted manifest names and upstream does not have. */
export type DerivedBlob =
  | { readonly kind: 'config'; readonly digest: Digest; readonly bytes: Uint8Array }
  /** A layer served unpacked: its digest is the diff_id that the config names. */
  | { readonly kind: 'layer'; readonly digest: Digest; readonly packed: Digest; readonly size: number };

/** An image on its way through the steps below. */
export interface Prepared {
  readonly image: Image;
  /** Fetched by the first step that needs it. */
  readonly config: ImageConfig | undefined;
  readonly blobs: readonly DerivedBlob[];
}

/**
 * Makes a step's change to an image, or gives it back as it is where there is nothing to change.
 * @param unpackZstd whether the client cannot unpack zstd.
 */
export type Step = (prepared: Prepared, ports: ConversionPorts, unpackZstd: boolean) => Promise<Prepared>;

/** How many layers are asked about at once. */
const layerConcurrency = 4;

/** Brings the config along. @throws ConversionError when it is not what its descriptor says. */
export const withConfig: Step = (prepared, ports) => read(prepared, ports);

async function read(prepared: Prepared, ports: ConversionPorts): Promise<Prepared & { config: ImageConfig }> {
  const config = prepared.config ?? (await fetchConfig(prepared.image, ports));
  return { ...prepared, config };
}

/** Puts the layers of a generic manifest in the order that its target demands. */
export const inOrder: Step = async (prepared, ports) => {
  const { image } = prepared;
  if (image.source.dialect !== 'generic' || image.target.kind !== 'config') return prepared;
  const { config, blobs } = await read(prepared, ports);
  return { config, blobs, image: inTargetOrder(image, config) };
};

/** Refuses a config of an uncertain type that is none: `application/octet-stream` occurs for artifacts too. */
export const certainly: Step = async (prepared, ports) => {
  const { target } = prepared.image;
  return target.kind !== 'config' || hasImageConfigType(target.descriptor) ? prepared : read(prepared, ports);
};

/** Learns the compression of layers whose type does not say. */
export const described: Step = async (prepared, ports) => {
  const { image } = prepared;
  if (image.target.kind !== 'config' || image.dependencies.every(isDescribed)) return prepared;
  const dependencies = await mapBounded(image.dependencies, layerConcurrency, async (layer) =>
    isDescribed(layer) ? layer : { ...layer, compression: await ports.sniffLayer(layer) },
  );
  return { ...prepared, image: { ...image, dependencies } };
};

function isDescribed(layer: Layer): boolean {
  return layer.compression !== 'unknown';
}

/** Gives an image without diff_ids (schema 1, a bare v1 JSON) a config that has them: its layers must be read. */
export const modernized: Step = async (prepared, ports) => {
  if (prepared.image.target.kind === 'v1') return fromSchema1(prepared.image, prepared.image.target, ports);
  // Schema 2 and OCI images have diff_ids; a generic manifest may have a config of 2015, without.
  if (prepared.image.source.dialect !== 'generic') return prepared;
  const { image, config, blobs } = await read(prepared, ports);
  if (config.diffIds !== undefined) return { image, config, blobs };
  const dependencies = await learned(image.dependencies, ports);
  const root = asObject(rootField(config.document));
  return withMadeConfig(image, dependencies, configFromBareV1(root, dependencies.map(diffIdOf)));
};

async function fromSchema1(image: Image, target: Image['target'] & { kind: 'v1' }, ports: ConversionPorts) {
  await verifySchema1(image);
  const steps = v1Steps(target, image.dependencies);
  const dependencies = await learned(
    steps.flatMap(({ layer }) => layer ?? []),
    ports,
  );
  return withMadeConfig(image, dependencies, configFromV1(steps, dependencies.map(diffIdOf)));
}

interface LearnedLayer extends Layer {
  readonly diffId: Digest;
}

function diffIdOf({ diffId }: LearnedLayer): Digest {
  return diffId;
}

/** Reads each different layer once. */
async function learned(layers: readonly Layer[], ports: ConversionPorts): Promise<LearnedLayer[]> {
  const different = [...new Map(layers.map((layer) => [layer.digest, layer])).values()];
  // All at once: how many are read at a time is for whoever reads them to bound.
  const facts = await Promise.all(different.map((layer) => ports.layerFacts(layer)));
  const byDigest = new Map(different.map((layer, index) => [layer.digest, facts[index]]));
  return layers.map((layer) => {
    const fact = byDigest.get(layer.digest);
    if (!fact) throw new ConversionError({ code: 'UNAVAILABLE', message: 'A layer could not be read' });
    return { ...layer, size: fact.packedSize, compression: fact.compression, diffId: fact.diffId };
  });
}

function withMadeConfig(image: Image, dependencies: readonly Layer[], bytes: Uint8Array): Prepared {
  const digest = digestOf(bytes);
  const descriptor: Descriptor = {
    mediaType: mediaTypes.dockerConfig,
    digest,
    size: bytes.length,
    urls: [],
    labels: new Map(),
    field: undefined,
  };
  return {
    image: { ...image, target: { kind: 'config', descriptor }, dependencies },
    config: readImageConfig(bytes),
    blobs: [{ kind: 'config', digest, bytes }],
  };
}

/** For clients that cannot unpack zstd: such layers become the plain tars that the config names already. */
export const unpacked: Step = async (prepared, ports, unpackZstd) => {
  if (!unpackZstd || !prepared.image.dependencies.some(isZstd)) return prepared;
  const { image, config, blobs } = await read(prepared, ports);
  const made: DerivedBlob[] = [];
  const dependencies = await Promise.all(
    image.dependencies.map(async (layer, index) => {
      if (!isZstd(layer)) return layer;
      const { diffId, size } = await ports.layerFacts(layer);
      checkDiffId(diffId, config.diffIds?.[index], layer);
      made.push({ kind: 'layer', digest: diffId, packed: layer.digest, size });
      return { ...layer, digest: diffId, size, compression: 'none' as const };
    }),
  );
  return { image: { ...image, dependencies }, config, blobs: [...blobs, ...made] };
};

/** A layer that the registry holds packed by zstd, and that could be given as the tar inside. */
export function isZstd(layer: Layer): boolean {
  return layer.compression === 'zstd' && !layer.foreign && !layer.encrypted;
}

function checkDiffId(actual: Digest, stated: Digest | undefined, layer: Layer): void {
  if (stated === undefined || stated === actual) return;
  throw new ConversionError({
    code: 'DIGEST_MISMATCH',
    message: `The layer ${layer.digest} is not what the config says it is, unpacked`,
    path: '$.rootfs.diff_ids',
    found: actual,
    expected: stated,
  });
}
