import { noLabels } from '../../../converters/annotations.ts';
import type { ConversionContext, Converted, Form } from '../../../converters/conversion.ts';
import { convert } from '../../../converters/convert.ts';
import type { Digest } from '../../../converters/digest.ts';
import { emptyLayer } from '../../../converters/formats/schema1/empty-layer.ts';
import { selectImage } from '../../../converters/indexes/select-image.ts';
import { bareMediaType, mediaTypes } from '../../../converters/media-types.ts';
import type { Loss, Model } from '../../../converters/model.ts';
import { formatPlatform, type Platform } from '../../../converters/platform.ts';
import type { ConversionPorts } from '../../../converters/ports.ts';
import { readManifest } from '../../../converters/read.ts';
import { isOfArtifact } from '../images/artifact.ts';
import { needsPlainTars } from '../images/convert-target.ts';
import { refuseOtherPlatform } from '../images/image-platform.ts';
import { type ManifestContent, manifestContent } from './named-content.ts';

/** The changes that a copy makes. Without any, the copy has the bytes of the source. */
export interface CopyChanges {
  /** The form of the copy; undefined for the form of the source. */
  readonly as: Form | undefined;
  /** The image of an index to copy; undefined for the whole index. */
  readonly platform: Platform | undefined;
  /** The platform that an image in no index must have; undefined for any. */
  readonly wanted: Platform | undefined;
  readonly dropAttestations: boolean;
  /** Zstd layers become plain tars in each form. */
  readonly decompress: boolean;
}

/** A manifest of the copy. */
export interface PlannedManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly body: Uint8Array;
}

/** A blob of the copy. */
export interface PlannedBlob {
  readonly digest: Digest;
  /** Undefined where no manifest states the size. */
  readonly size: number | undefined;
  /** Bytes that the source does not have: a config that was made, the empty layer. */
  readonly bytes?: Uint8Array;
}

export interface CopyPlan {
  /** Each digest once, children before parents; the last one is the root. */
  readonly manifests: readonly [...PlannedManifest[], PlannedManifest];
  /** Each digest once. */
  readonly blobs: readonly PlannedBlob[];
  readonly losses: readonly (Loss & { readonly manifest: Digest })[];
  readonly kind: 'image' | 'index' | 'artifact';
  /** The platform of the image that was selected from an index. */
  readonly platform?: string;
}

/** The manifest that the tag of the target names. */
export function rootOf({ manifests }: CopyPlan): PlannedManifest {
  return manifests[manifests.length - 1] as PlannedManifest;
}

/** The source of a copy, and the names that schema 1 contains. */
export interface CopySource {
  readonly bytes: Uint8Array;
  readonly contentType: string;
  readonly digest: Digest;
  readonly ports: ConversionPorts;
  readonly name: string;
  readonly tag: string;
}

/**
 * Finds out what a copy consists of, and converts what the target form needs. Reads zstd layers whole if they are replaced,
 * and all layers of a schema 1 image that gets another form.
 * @throws ConversionError if the target form cannot hold the image; any error of a port, unchanged.
 */
export async function planCopy(source: CopySource, changes: CopyChanges): Promise<CopyPlan> {
  const stored = storedModel(source, changes);
  const isSelected = stored?.kind === 'index' && changes.platform !== undefined;
  const model = isSelected ? await selectImage(stored, changes.platform, source.ports) : stored;
  const selection = isSelected ? { platform: formatPlatform(changes.platform) } : {};
  if (model === undefined) {
    return { ...(await collect(unchangedArtifact(source), source.ports)), kind: 'artifact' };
  }
  await refuseOtherPlatform(model, changes.wanted, source.ports);
  const converted = await changedBy(model, source, changes);
  return { ...(await collect(converted, source.ports)), kind: model.kind, ...selection };
}

/** @returns undefined for an artifact, which is no image and is copied as it is. @throws ConversionError. */
function storedModel({ bytes, contentType }: CopySource, { as }: CopyChanges): Model | undefined {
  try {
    return readManifest(bytes, contentType);
  } catch (error) {
    if (isOfArtifact(error, contentType) && as === undefined) return undefined;
    throw error;
  }
}

/** A manifest with the content that was made for it. */
type Tree = Pick<Converted, 'digest' | 'mediaType' | 'losses' | 'blobs' | 'source'> & {
  readonly body: Uint8Array;
  readonly children: readonly Tree[];
};

function unchangedArtifact({ digest, contentType, bytes: body }: CopySource): Tree {
  const mediaType = bareMediaType(contentType) || mediaTypes.ociManifest;
  return unchanged({ digest, mediaType, body });
}

function unchanged(manifest: PlannedManifest): Tree {
  return { ...manifest, source: manifest.digest, losses: [], blobs: [], children: [] };
}

/**
 * The type that a stored manifest is pushed under. docker-registry takes generic manifests as OCI indexes alone, and serves
 * them under other types (distribution 2.8, registry/handlers/manifests.go).
 */
function storedType({ contentType }: CopySource, { dialect, mediaType }: Model['source']): string {
  const isGeneric = bareMediaType(contentType) === mediaTypes.generic;
  return dialect === 'generic' && !isGeneric ? mediaTypes.ociIndex : mediaType;
}

async function changedBy(model: Model, source: CopySource, changes: CopyChanges): Promise<Tree> {
  const { source: own } = model;
  const form = changes.as ?? (own.dialect === 'v1' ? 'schema1' : own.dialect);
  const drops = changes.dropAttestations && model.kind === 'index';
  const isOther = form !== own.dialect;
  const unpackZstd = changes.decompress || needsPlainTars(changes.as);
  if (!isOther && !drops && !unpackZstd) {
    const { digest, bytes: body } = own;
    const mediaType = digest === source.digest ? storedType(source, own) : own.mediaType;
    return unchanged({ digest, mediaType, body });
  }
  const context: ConversionContext = {
    ports: source.ports,
    name: source.name,
    tag: source.tag,
    unpackZstd,
    probeLayers: unpackZstd,
    dropAttestations: drops ? (isOther || unpackZstd ? 'also' : 'alone') : undefined,
  };
  return convert(model, form, context);
}

/** Lists the content of a tree in the order in which a registry takes it. */
async function collect(
  root: Tree,
  ports: ConversionPorts,
): Promise<Pick<CopyPlan, 'manifests' | 'blobs' | 'losses'>> {
  const before: PlannedManifest[] = [];
  const blobs = new Map<Digest, PlannedBlob>();
  const seen = new Set<Digest>();
  const losses: (Loss & { readonly manifest: Digest })[] = [];

  async function visit(tree: Tree): Promise<void> {
    losses.push(...tree.losses.map((loss) => ({ manifest: tree.source, ...loss })));
    const named = manifestContent(tree.body, tree.mediaType);
    for (const blob of plannedBlobs(named, tree)) if (!blobs.has(blob.digest)) blobs.set(blob.digest, blob);
    const made = new Map(tree.children.map((child) => [child.digest, child]));
    for (const entry of named.manifests) {
      if (seen.has(entry.digest)) continue;
      seen.add(entry.digest);
      const child = made.get(entry.digest) ?? (await storedChild(entry, ports));
      await visit(child);
      before.push(child);
    }
  }

  await visit(root);
  return { manifests: [...before, root], blobs: [...blobs.values()], losses };
}

async function storedChild(
  entry: ManifestContent['manifests'][number],
  ports: ConversionPorts,
): Promise<Tree> {
  const { digest, mediaType } = entry;
  const body = await ports.fetchManifest({ ...entry, urls: [], labels: noLabels, field: undefined });
  return unchanged({ digest, mediaType, body });
}

function plannedBlobs({ blobs }: ManifestContent, { blobs: made }: Tree): PlannedBlob[] {
  const configs = new Map(made.flatMap((each) => (each.kind === 'config' ? [[each.digest, each]] : [])));
  return blobs.map(({ digest, size }): PlannedBlob => {
    const bytes = digest === emptyLayer.digest ? emptyLayer.bytes : configs.get(digest)?.bytes;
    return bytes ? { digest, size: bytes.length, bytes } : { digest, size };
  });
}
