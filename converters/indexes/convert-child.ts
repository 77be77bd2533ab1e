import type { ConversionContext, Converted, IndexForm } from '../conversion.ts';
import { indexConversions } from '../conversion-graph.ts';
import { ConversionError } from '../errors.ts';
import { fetchConfig, fetchModel } from '../fetch.ts';
import { isArtifact } from '../formats/oci-family/index-entry.ts';
import type { ConvertedEntry } from '../formats/oci-family/write-index.ts';
import { readImageConfig } from '../image-config.ts';
import { convertImage } from '../images/convert-image.ts';
import { loss } from '../losses.ts';
import { bareMediaType, mediaTypes } from '../media-types.ts';
import type { Image, Index, IndexEntry, Loss, Model } from '../model.ts';
import { formatPlatform, type Platform, platformRank } from '../platform.ts';
import type { ConversionPorts } from '../ports.ts';
import { isManifestType } from '../read.ts';
import { isZstd } from '../steps/decompress-layers.ts';

/** One child with what became of it: `converted` is absent where the stored child stays. */
export interface IndexChild extends ConvertedEntry {
  readonly converted: Converted | undefined;
}

/** What became of an entry. */
export interface ChildOutcome {
  readonly children: readonly IndexChild[];
  readonly losses: readonly Loss[];
}

export interface ChildTask {
  readonly form: IndexForm;
  readonly context: ConversionContext;
  /** Converts an index that stays inside the other. */
  readonly nest: (index: Index) => Promise<Converted>;
  /** Converts the entries of an index that are to stand in the other. */
  readonly open: (index: Index) => Promise<ChildOutcome>;
}

/** @throws ConversionError when the entry cannot stand in an index of the form; or what a port throws. */
export async function convertChild(entry: IndexEntry, task: ChildTask): Promise<ChildOutcome> {
  const { form, context } = task;
  const { nests, needsPlatform } = indexConversions[form];
  if (staysAsItIs(entry, task)) return { children: [asItIs(entry)], losses: [] };
  const model = await fetched(entry, task);
  if (!model) return { children: [asItIs(entry)], losses: [] };
  if (model.kind === 'index' && !nests) return opened(entry, await task.open(model));
  if (model.kind === 'image' && !mayReadLayers(entry.platform, context) && needsLayers(model, context)) {
    throw layersOfOthers(context);
  }
  const converted =
    model.kind === 'index' ? await task.nest(model) : await convertImage(model, form, context);
  const same = converted.digest === entry.digest;
  const child: IndexChild = {
    entry,
    // The proposals' examples give a platform's manifest the type of a config: that is left alone.
    mediaType: same && form === 'generic' ? entry.mediaType : converted.mediaType,
    digest: converted.digest,
    size: converted.body.length,
    platform:
      entry.platform ?? (needsPlatform ? await platformOf(model, converted, context.ports) : undefined),
    converted: same ? undefined : converted,
  };
  return { children: [child], losses: [] };
}

/** Whether an entry can stand in the new index without a look at what it names. */
function staysAsItIs(entry: IndexEntry, { form, context }: ChildTask): boolean {
  const { imageType, needsPlatform, keepsOthers } = indexConversions[form];
  const { attestation, mediaType, platform } = entry;
  const other = attestation ? 'an attestation' : isArtifact(entry) && 'an artifact';
  // Docker before 23, which is what cannot unpack zstd, takes either for an image.
  if (other && (!keepsOthers || context.unpackZstd)) {
    throw inexpressible(`It is ${other}, which clients of this form take for an image`);
  }
  if (other) return true;
  if (!mayBeManifest(mediaType)) throw inexpressible(`It is no manifest, but ${mediaType}`);
  // Whether a client can unpack its layers, only the manifest says.
  return mediaType === imageType && Boolean(platform || !needsPlatform) && !context.unpackZstd;
}

/** Fat generic manifests name a platform's manifest by the type of a config, and may name other things as well. */
function mayBeManifest(mediaType: string): boolean {
  const bare = bareMediaType(mediaType);
  const loose: readonly string[] = [mediaTypes.dockerConfig, mediaTypes.ociConfig, mediaTypes.json];
  return isManifestType(bare) || loose.includes(bare);
}

/** The model of an entry; none for an artifact that stays as it is. */
async function fetched(entry: IndexEntry, { form, context }: ChildTask): Promise<Model | undefined> {
  try {
    return await fetchModel(entry, context.ports);
  } catch (error) {
    const artifact = error instanceof ConversionError && error.code === 'NOT_AN_IMAGE';
    const stays = indexConversions[form].keepsOthers && !context.unpackZstd;
    if (artifact && stays && entry.mediaType === indexConversions[form].imageType) return undefined;
    throw error;
  }
}

function asItIs(entry: IndexEntry): IndexChild {
  const { mediaType, digest, size = 0, platform } = entry;
  return { entry, mediaType, digest, size, platform, converted: undefined };
}

function opened({ field, digest }: IndexEntry, inner: ChildOutcome): ChildOutcome {
  const reason = 'is an index, which this form cannot hold: its entries stand in its place';
  return {
    children: inner.children,
    losses: [loss('entries', field?.path ?? digest, reason), ...inner.losses],
  };
}

/** Reading layers takes long: it is done for the platform that the client will choose, where that is known. */
function mayReadLayers(platform: Platform | undefined, { layersOf }: ConversionContext): boolean {
  return !layersOf || !platform || platformRank(layersOf, platform) !== undefined;
}

function needsLayers(image: Image, { unpackZstd }: ConversionContext): boolean {
  return image.target.kind === 'v1' || (unpackZstd && image.dependencies.some(isZstd));
}

function layersOfOthers({ layersOf }: ConversionContext): ConversionError {
  const message = 'Its layers would have to be read first, which is done for one platform only';
  return inexpressible(message, layersOf && formatPlatform(layersOf));
}

function inexpressible(message: string, expected?: string): ConversionError {
  return new ConversionError({ code: 'INEXPRESSIBLE', message, expected });
}

/** By the config, which an image that was stored as schema 1 has only now. */
async function platformOf(
  model: Model,
  { blobs }: Converted,
  ports: ConversionPorts,
): Promise<Platform | undefined> {
  if (model.kind === 'index') return undefined;
  const made = blobs.find((blob) => blob.kind === 'config');
  return made ? readImageConfig(made.bytes).platform : (await fetchConfig(model, ports)).platform;
}
