import type { ConversionContext, Converted, IndexForm } from '../conversion.ts';
import { indexConversions } from '../conversion-graph.ts';
import { ConversionError } from '../errors.ts';
import { fetchConfig, fetchModel } from '../fetch.ts';
import { isArtifact } from '../formats/oci-family/index-entry.ts';
import type { ConvertedEntry } from '../formats/oci-family/write-index.ts';
import { readImageConfig } from '../image-config.ts';
import { convertImage } from '../images/convert-image.ts';
import type { RawObject } from '../json/document.ts';
import type { Field } from '../json/fields.ts';
import { entryLoss } from '../losses.ts';
import type { Image, Index, IndexEntry, Loss, Model } from '../model.ts';
import { formatPlatform, type Platform, platformRank } from '../platform.ts';
import type { ConversionPorts } from '../ports.ts';
import { isZstd } from '../steps/decompress-layers.ts';
import { mayBeManifest } from './entries.ts';

/** One entry of the new index. */
export interface IndexChild extends ConvertedEntry {
  /** The converted manifest, or `undefined` if the stored manifest stays. */
  readonly converted: Converted | undefined;
}

/** The result for one entry of the stored index: its entries in the new index, and the losses. */
export interface ChildOutcome {
  readonly children: readonly IndexChild[];
  readonly losses: readonly Loss[];
}

export interface ChildTask {
  readonly form: IndexForm;
  readonly context: ConversionContext;
  /** Converts an index that stays an entry of the new index. */
  readonly nest: (index: Index) => Promise<Converted>;
  /** Converts the entries of an inner index, which replace it in the new index. */
  readonly flatten: (index: Index) => Promise<ChildOutcome>;
  /** Called for each manifest that is read. @throws ConversionError LIMIT when all of them together are too large. */
  readonly onManifest: (model: Model) => void;
  /** Called for an image that is converted or refused by `layersOf`. */
  readonly onPlatformSpecific: () => void;
}

/**
 * Converts one entry of an index.
 * @throws ConversionError when an index of the form cannot hold the entry; any error of a port, unchanged.
 */
export async function convertChild(entry: IndexEntry, task: ChildTask): Promise<ChildOutcome> {
  const { form, context } = task;
  const { needsPlatform } = indexConversions[form];
  const nests = indexConversions[form].nests && !context.flattenIndexes;
  if (staysUnchanged(entry, task)) return { children: [unchanged(entry)], losses: [] };
  const model = await fetchChild(entry, task);
  if (!model) return { children: [unchanged(entry)], losses: [] };
  if (model.kind === 'index' && !nests)
    return flattened(entry, await task.flatten(below(model, entry)), indexConversions[form].nests);
  if (model.kind === 'image' && needsLayers(model, context)) {
    if (context.layersOf && entry.platform) task.onPlatformSpecific();
    if (!mayReadLayers(entry.platform, context)) throw layersOfOthers(context);
  }
  const converted =
    model.kind === 'index' ? await task.nest(model) : await convertImage(model, form, context);
  const same = converted.digest === entry.digest;
  const child: IndexChild = {
    entry,
    // The examples of the proposals use the type of a config for a platform's manifest. That type stays.
    mediaType: same && form === 'generic' ? entry.mediaType : converted.mediaType,
    digest: converted.digest,
    size: converted.body.length,
    platform:
      entry.platform ?? (needsPlatform ? await platformOf(model, converted, context.ports) : undefined),
    converted: same ? undefined : converted,
  };
  return { children: [child], losses: sizeLosses(entry, model) };
}

/**
 * Whether an entry can stay without a fetch of its manifest.
 * @throws ConversionError INEXPRESSIBLE when an index of the form cannot hold the entry.
 */
function staysUnchanged(entry: IndexEntry, { form, context }: ChildTask): boolean {
  const { imageType, needsPlatform, keepsNonImages } = indexConversions[form];
  const { attestation, mediaType, platform } = entry;
  if (attestation && context.dropAttestations) throw inexpressible('Attestations are left out on request');
  if (context.dropAttestations === 'alone') return true;
  const nonImage = attestation ? 'an attestation' : isArtifact(entry) && 'an artifact';
  // Clients that cannot decompress zstd, such as Docker before 23, mistake attestations and artifacts for images.
  if (nonImage && (!keepsNonImages || context.unpackZstd)) {
    const clients = keepsNonImages ? 'that cannot read zstd' : 'of this form';
    throw inexpressible(`It is ${nonImage}, which clients ${clients} take for an image`);
  }
  if (nonImage) return true;
  if (!mayBeManifest(entry)) throw inexpressible(`It is no manifest, but ${mediaType}`);
  // The entry does not state whether a layer is zstd, so such clients need a look at the manifest.
  return mediaType === imageType && Boolean(platform || !needsPlatform) && !context.unpackZstd;
}

/** Fetches the manifest of an entry. @returns `undefined` for an artifact that stays as it is. */
async function fetchChild(entry: IndexEntry, task: ChildTask): Promise<Model | undefined> {
  const { form, context } = task;
  try {
    const model = await fetchModel(entry, context.ports);
    task.onManifest(model);
    return model;
  } catch (error) {
    const artifact = error instanceof ConversionError && error.code === 'NOT_AN_IMAGE';
    const stays = indexConversions[form].keepsNonImages && !context.unpackZstd;
    if (artifact && stays && entry.mediaType === indexConversions[form].imageType) return undefined;
    throw error;
  }
}

/** The warning about an entry that states another size than its manifest has. */
function sizeLosses(entry: IndexEntry, { source }: Model): readonly Loss[] {
  const { size } = entry;
  const { length } = source.bytes;
  if (size === undefined || size === length) return [];
  const reason = `states a size of ${size} bytes, and its manifest has ${length}: the new entry states that`;
  return [entryLoss(entry, reason)];
}

function unchanged(entry: IndexEntry): IndexChild {
  const { mediaType, digest, size = 0, platform } = entry;
  return { entry, mediaType, digest, size, platform, converted: undefined };
}

/** The index with the paths of its entries below the path of an entry, such as `$.manifests[1].manifests[0]`. */
function below({ dependencies, unusable, ...index }: Index, { field: outer }: IndexEntry): Index {
  const moved = (field: Field<RawObject>) => ({
    ...field,
    path: `${outer?.path ?? '$'}${field.path.slice(1)}`,
  });
  return {
    ...index,
    dependencies: dependencies.map((entry) => ({ ...entry, field: entry.field && moved(entry.field) })),
    unusable: unusable.map(moved),
  };
}

function flattened(entry: IndexEntry, inner: ChildOutcome, formNests: boolean): ChildOutcome {
  const why = formNests ? 'this client does not read there' : 'this form cannot hold';
  const reason = `is an index, which ${why}: its entries stand in its place`;
  return { children: inner.children, losses: [entryLoss(entry, reason), ...inner.losses] };
}

/** Whether layers of this platform may be read. Reading is slow, so `layersOf` limits it to one platform. */
function mayReadLayers(platform: Platform | undefined, { layersOf }: ConversionContext): boolean {
  return !layersOf || !platform || platformRank(layersOf, platform) !== undefined;
}

function needsLayers(image: Image, { unpackZstd, probeLayers }: ConversionContext): boolean {
  return image.target.kind === 'v1' || (unpackZstd && (probeLayers || image.dependencies.some(isZstd)));
}

function layersOfOthers({ layersOf }: ConversionContext): ConversionError {
  const message = 'Its layers would have to be read first, which is done for one platform only';
  return inexpressible(message, layersOf && formatPlatform(layersOf));
}

function inexpressible(message: string, expected?: string): ConversionError {
  return new ConversionError({ code: 'INEXPRESSIBLE', message, expected });
}

/** The platform in the config of a converted image. An image stored as schema 1 gets its config by conversion. */
async function platformOf(
  model: Model,
  { blobs }: Converted,
  ports: ConversionPorts,
): Promise<Platform | undefined> {
  if (model.kind === 'index') return undefined;
  const derived = blobs.find((blob) => blob.kind === 'config');
  return derived ? readImageConfig(derived.bytes).platform : (await fetchConfig(model, ports)).platform;
}
