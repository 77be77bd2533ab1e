import {
  type Compression,
  type ConversionContext,
  ConversionError,
  type Converted,
  chooseImage,
  convert,
  convertToRegistryV1,
  type Digest,
  digestOf,
  type Form,
  type LayerFacts,
  type Model,
  mediaTypes,
  readImageConfig,
  readManifest,
  type SigningKey,
  verifySchema1,
} from '../../converters/index.ts';
import type { Random } from './random.ts';

/** Content that a port does not have: not an error of a converter. */
class NotHere extends Error {}

const encoder = new TextEncoder();
const forms: readonly Form[] = ['schema1', 'schema2', 'oci', 'generic'];

export interface World {
  /** Documents by digest. */
  readonly documents: ReadonlyMap<string, Uint8Array>;
  readonly key: SigningKey;
}

/**
 * Reads a document by every reader, and converts it.
 * @returns the code of the ConversionError, or `converted`.
 * @throws Error when a converter throws anything but a ConversionError, or when the reader refuses a written document.
 */
export async function examine(bytes: Uint8Array, world: World, random: Random): Promise<string> {
  const asConfig = await coded(() => examineConfig(bytes, world, random));
  const asManifest = await coded(() => examineManifest(bytes, world, random));
  return asManifest === 'UNREADABLE' || asManifest === 'UNKNOWN_DIALECT' ? asConfig : asManifest;
}

async function coded(work: () => Promise<void>): Promise<string> {
  try {
    await work();
    return 'converted';
  } catch (error) {
    if (error instanceof NotHere) return 'not here';
    if (!(error instanceof ConversionError)) throw error;
    if (/undefined|\[object|NaN/.test(error.message)) throw new Error(`an odd message: ${error.message}`);
    return error.code;
  }
}

async function examineManifest(bytes: Uint8Array, world: World, random: Random): Promise<void> {
  const contentType = random.oneIn(3) ? random.one(Object.values(mediaTypes)) : undefined;
  const model = readManifest(bytes, contentType);
  const context = contextOf(world, random);
  if (model.kind === 'image' && random.oneIn(4)) {
    await convertToRegistryV1(model, context);
    return;
  }
  if (model.kind === 'index' && random.oneIn(4)) {
    await chooseImage(model, { os: 'linux', architecture: 'amd64' }, context.ports);
    return;
  }
  if (random.oneIn(20)) await verifySchema1(model);
  await checkWritten(model, random.one(forms), context);
}

/** Reads the document as the config of an image with as many layers as the config names. */
async function examineConfig(bytes: Uint8Array, world: World, random: Random): Promise<void> {
  const { diffIds, history } = readImageConfig(bytes);
  const filled = history?.filter(({ emptyLayer }) => !emptyLayer).length;
  const layers = (diffIds ?? Array.from({ length: filled ?? 1 }, (_, at) => fakeDigest(`layer ${at}`))).slice(
    0,
    200,
  );
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.schema2,
    config: { mediaType: mediaTypes.dockerConfig, size: bytes.length, digest: digestOf(bytes) },
    layers: layers.map((digest) => ({ mediaType: mediaTypes.dockerLayerGzip, size: 1, digest })),
  };
  const context = contextOf({ ...world, documents: new Map([[digestOf(bytes), bytes]]) }, random);
  await checkWritten(readManifest(encoder.encode(JSON.stringify(manifest))), 'schema1', context);
}

/** Checks that a written document is read again, and that writing it again gives the same digest. */
async function checkWritten(model: Model, form: Form, context: ConversionContext): Promise<void> {
  const converted = await convert(model, form, context);
  await ownReader(converted, context);
  if (form !== 'schema1') return;
  const read = readManifest(converted.body, converted.mediaType);
  if (read.kind === 'image') await verifySchema1(read);
}

async function ownReader(converted: Converted, context: ConversionContext): Promise<void> {
  const { body, mediaType, digest, form, children } = converted;
  let read: Model;
  try {
    read = readManifest(body, mediaType);
  } catch (error) {
    throw new Error(`our own reader refuses what was written as ${form}`, { cause: error });
  }
  if (read.source.digest !== digest) throw new Error(`the digest of what was written as ${form} is another`);
  if (read.source.mediaType !== mediaType)
    throw new Error(`what was written as ${form} is read as ${read.source.mediaType}`);
  for (const child of children) await ownReader(child, context);
  if (read.kind === 'image' && converted.blobs.length === 0) {
    const again = await convert(read, form, context);
    if (again.digest !== digest)
      throw new Error(`what was written as ${form} has another digest when it is written again`);
  }
}

function contextOf(world: World, random: Random): ConversionContext {
  const document = async ({ digest }: { digest: Digest }) => {
    const bytes = world.documents.get(digest);
    if (!bytes) throw new NotHere(digest);
    return bytes;
  };
  const zstd = random.oneIn(4);
  return {
    ports: {
      fetchManifest: document,
      fetchBlob: document,
      sniffLayer: async (): Promise<Compression> => (zstd ? 'zstd' : 'gzip'),
      layerFacts: async ({ digest }): Promise<LayerFacts> => ({
        compression: zstd ? 'zstd' : 'gzip',
        packedSize: 1,
        size: 2,
        diffId: fakeDigest(digest),
      }),
      // Signing takes longer than all else, so only some documents are signed.
      signingKey: async () => {
        if (!random.oneIn(40)) throw new NotHere('key');
        return world.key;
      },
    },
    name: 'library/fuzz',
    tag: random.one(['latest', '', '<&>"\\\u2028']),
    unpackZstd: random.oneIn(4),
    ...(random.oneIn(4) ? { layersOf: { os: 'linux', architecture: 'amd64' } } : {}),
  };
}

function fakeDigest(seed: string): Digest {
  return digestOf(encoder.encode(seed));
}
