import { mapBounded } from './concurrency.ts';
import { type ConversionContext, type Converted, convertImage } from './convert.ts';
import { type ConvertedEntry, type IndexFamily, writeDescriptorIndex } from './descriptor-index.ts';
import { type Digest, digestOf } from './digest.ts';
import { ConversionError } from './errors.ts';
import { writeFatGeneric } from './generic/write.ts';
import { limits } from './limits.ts';
import { mediaTypes } from './media-types.ts';
import type { Image, Index, IndexEntry, Loss } from './model.ts';
import { ociFamily, ociIndexFamily } from './oci/write.ts';
import { formatPlatform, type Platform, platformRank } from './platform.ts';
import { withPlatformTable } from './platform-table.ts';
import { type ConversionPorts, fetchConfig, fetchModel } from './ports.ts';
import { type DerivedBlob, isZstd } from './prepare.ts';
import { dockerListFamily, schema2Family } from './schema2/write.ts';

/** Forms that have an index of their own. */
export type IndexForm = 'schema2' | 'oci' | 'generic';

interface IndexWay {
  readonly mediaType: string;
  /** The type of an image in this form: an entry of this type stays as it is. */
  readonly imageType: string;
  /** Docker takes an entry without a platform for one that fits nobody. */
  readonly needsPlatform: boolean;
  readonly keepsAttestations: boolean;
  readonly write: (index: Index, entries: readonly ConvertedEntry[]) => WrittenIndex;
}

interface WrittenIndex {
  readonly bytes: Uint8Array;
  readonly losses: readonly Loss[];
  readonly blobs: readonly DerivedBlob[];
}

const ways: Readonly<Record<IndexForm, IndexWay>> = {
  schema2: familyWay(dockerListFamily, schema2Family.manifestType),
  oci: familyWay(ociIndexFamily, ociFamily.manifestType),
  generic: {
    mediaType: mediaTypes.generic,
    imageType: mediaTypes.generic,
    needsPlatform: true,
    keepsAttestations: false,
    write: (_, entries) => {
      const { bytes, target } = writeFatGeneric(entries);
      return { bytes, losses: [], blobs: [{ kind: 'config', digest: digestOf(target), bytes: target }] };
    },
  },
};

function familyWay(family: IndexFamily, imageType: string): IndexWay {
  const { indexType: mediaType, needsPlatform, keepsAttestations } = family;
  const write = (index: Index, entries: readonly ConvertedEntry[]) => ({
    ...writeDescriptorIndex(index, entries, family),
    blobs: [],
  });
  return { mediaType, imageType, needsPlatform, keepsAttestations, write };
}

/** One child with what became of it: `converted` is absent where the stored child stays. */
interface Child extends ConvertedEntry {
  readonly converted: Converted | undefined;
}

/** Where in a tree of indexes the conversion is. */
interface Walk {
  readonly ancestors: readonly Digest[];
  readonly count: { nodes: number };
}

/**
 * Converts an index or list, children first. A child that cannot be converted is left out and reported.
 * @throws ConversionError when no child is left, or the tree is too large or too deep; or what a port throws.
 */
export async function convertIndex(
  index: Index,
  form: IndexForm,
  context: ConversionContext,
  walk: Walk = { ancestors: [], count: { nodes: 0 } },
): Promise<Converted> {
  checkWalk(index, walk);
  const within = { ...walk, ancestors: [...walk.ancestors, index.source.digest] };
  const losses: Loss[] = [];
  const whole = await withPlatformTable(index, context.ports);
  const children = await mapBounded(whole.dependencies, 6, async (entry, at) => {
    try {
      return await convertChild(entry, form, context, within);
    } catch (error) {
      if (!(error instanceof ConversionError) || !leavable.has(error.code)) throw error;
      losses.push({ path: entry.field?.path ?? `$.manifests[${at}]`, reason: error.message });
      return undefined;
    }
  });
  const kept = children.filter((child): child is Child => child !== undefined);
  if (kept.length === 0) throw nothingLeft(losses);
  const { mediaType, write } = ways[form];
  const written = write(whole, kept);
  return {
    kind: 'index',
    form,
    mediaType,
    digest: digestOf(written.bytes),
    body: written.bytes,
    source: index.source.digest,
    losses: [...losses, ...written.losses],
    children: kept.flatMap(({ converted }) => (converted ? [converted] : [])),
    blobs: written.blobs,
  };
}

/** Faults of one child that leave the others usable; a wrong digest is never among them. */
const leavable: ReadonlySet<string> = new Set(['INEXPRESSIBLE', 'NOT_AN_IMAGE', 'UNREADABLE', 'INVALID']);

async function convertChild(
  entry: IndexEntry,
  form: IndexForm,
  context: ConversionContext,
  walk: Walk,
): Promise<Child> {
  const { imageType, needsPlatform, keepsAttestations } = ways[form];
  // Docker before 23, which is what cannot unpack zstd, takes an attestation for an image.
  if (entry.attestation && (!keepsAttestations || context.unpackZstd)) {
    throw new ConversionError({
      code: 'INEXPRESSIBLE',
      message: 'It is an attestation, which clients of this form take for an image',
    });
  }
  const { mediaType, digest, platform } = entry;
  const readsLayers = mayReadLayers(platform, context);
  const same = mediaType === imageType && (platform || !needsPlatform);
  const settled = entry.attestation || (same && !context.unpackZstd);
  if (settled) return { entry, mediaType, digest, size: entry.size ?? 0, platform, converted: undefined };
  const model = await fetchModel(entry, context.ports);
  if (!readsLayers && needsLayers(model, context)) throw layersOfOthers(context);
  const converted =
    model.kind === 'index'
      ? await convertIndex(model, form, context, walk)
      : await convertImage(model, form, context);
  return {
    entry,
    mediaType: converted.mediaType,
    digest: converted.digest,
    size: converted.body.length,
    platform: platform ?? (needsPlatform ? await platformOf(model, context.ports) : undefined),
    converted: converted.digest === digest ? undefined : converted,
  };
}

/** Reading layers takes long: it is done for the platform that the client will choose, where that is known. */
function mayReadLayers(platform: Platform | undefined, { layersOf }: ConversionContext): boolean {
  return !layersOf || !platform || platformRank(layersOf, platform) !== undefined;
}

function needsLayers(model: Image | Index, { unpackZstd }: ConversionContext): boolean {
  if (model.kind === 'index') return false;
  return model.target.kind === 'v1' || (unpackZstd && model.dependencies.some(isZstd));
}

function layersOfOthers({ layersOf }: ConversionContext): ConversionError {
  return new ConversionError({
    code: 'INEXPRESSIBLE',
    message: 'Its layers would have to be read first, which is done for one platform only',
    ...(layersOf ? { expected: formatPlatform(layersOf) } : {}),
  });
}

async function platformOf(model: Image | Index, ports: ConversionPorts): Promise<Platform | undefined> {
  return model.kind === 'image' ? (await fetchConfig(model, ports)).platform : undefined;
}

function checkWalk(index: Index, { ancestors, count }: Walk): void {
  count.nodes += index.dependencies.length;
  if (ancestors.includes(index.source.digest)) {
    throw new ConversionError({
      code: 'INVALID',
      message: 'The index contains itself',
      found: index.source.digest,
    });
  }
  if (ancestors.length < limits.indexDepth && count.nodes <= limits.indexNodes) return;
  throw new ConversionError({
    code: 'LIMIT',
    message: 'The index is too large or too deep to be converted',
    found: `depth ${ancestors.length + 1}, ${count.nodes} manifests`,
    expected: `at most depth ${limits.indexDepth} and ${limits.indexNodes} manifests`,
  });
}

function nothingLeft(losses: readonly Loss[]): ConversionError {
  const reasons = losses.map(({ path, reason }) => `${path}: ${reason}`).join(' ');
  return new ConversionError({
    code: 'INEXPRESSIBLE',
    message: 'No image of the index can be given in this form',
    found: reasons.slice(0, 400) || 'an empty index',
  });
}
