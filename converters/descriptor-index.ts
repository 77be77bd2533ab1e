import { prune, type WrittenManifest } from './descriptor-manifest.ts';
import type { Digest } from './digest.ts';
import type { Dialect } from './errors.ts';
import { asItems, asObject, required, rootField } from './fields.ts';
import type { Index, IndexEntry, Loss } from './model.ts';
import type { Platform } from './platform.ts';
import { RawEdit } from './raw-edit.ts';
import type { RawArray } from './raw-json.ts';
import { encodeText, quote } from './raw-text.ts';

/** What manifest lists and OCI indexes differ in. */
export interface IndexFamily {
  readonly dialect: Dialect;
  readonly indexType: string;
  readonly indexKeys: ReadonlySet<string> | 'any';
  readonly entryKeys: ReadonlySet<string> | 'any';
  /** Docker takes an entry without a platform for one that fits nobody. */
  readonly needsPlatform: boolean;
  readonly keepsAttestations: boolean;
  readonly indent: number;
}

/** What an entry of an index points to once its child is converted (or left as it is). */
export interface ConvertedEntry {
  readonly entry: IndexEntry;
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly platform: Platform | undefined;
}

/**
 * Writes a list or index over children that are already converted.
 * @param entries those that stay, each with its `entry` out of `index.dependencies`; the others are left out.
 */
export function writeDescriptorIndex(
  index: Index,
  entries: readonly ConvertedEntry[],
  family: IndexFamily,
): WrittenManifest {
  const kept = index.source.dialect === 'schema2' || index.source.dialect === 'oci';
  return kept ? relabel(index, entries, family) : layOut(index, entries, family);
}

function relabel(index: Index, entries: readonly ConvertedEntry[], family: IndexFamily): WrittenManifest {
  const losses: Loss[] = [];
  const edit = new RawEdit(index.source.document);
  const root = asObject(rootField(index.source.document));
  prune(edit, root, family.indexKeys, losses);
  edit.set(root.value, 'mediaType', quote(family.indexType), 'schemaVersion');
  const byEntry = new Map(entries.map((each) => [each.entry, each]));
  const manifests = required(root, 'manifests');
  const gone = index.dependencies.map((entry) => !byEntry.has(entry));
  edit.removeItems(manifests.value as RawArray, (at) => gone[at] ?? false);
  asItems(manifests).forEach((item, at) => {
    const entry = index.dependencies[at];
    const converted = entry && byEntry.get(entry);
    if (!converted) return;
    const object = asObject(item);
    prune(edit, object, family.entryKeys, losses);
    edit.set(object.value, 'mediaType', quote(converted.mediaType), 'mediaType');
    edit.set(object.value, 'digest', quote(converted.digest), 'digest');
    edit.set(object.value, 'size', String(converted.size), 'size');
    if (!entry.platform && converted.platform) {
      edit.set(object.value, 'platform', JSON.stringify(platformJson(converted.platform)), 'size');
    }
  });
  return { bytes: encodeText(edit.apply()), losses };
}

function layOut(index: Index, entries: readonly ConvertedEntry[], family: IndexFamily): WrittenManifest {
  const list = {
    schemaVersion: 2,
    mediaType: family.indexType,
    manifests: entries.map(({ mediaType, digest, size, platform }) => ({
      mediaType,
      size,
      digest,
      ...(platform ? { platform: platformJson(platform) } : {}),
    })),
  };
  const losses = [...index.labels.keys()].map((key) => ({
    path: `$.labels.${key}`,
    reason: 'has no place in this form',
  }));
  return { bytes: encodeText(JSON.stringify(list, null, family.indent || undefined)), losses };
}

function platformJson(platform: Platform): object {
  return {
    architecture: platform.architecture,
    os: platform.os,
    ...(platform.osVersion ? { 'os.version': platform.osVersion } : {}),
    ...(platform.osFeatures ? { 'os.features': platform.osFeatures } : {}),
    ...(platform.variant ? { variant: platform.variant } : {}),
  };
}
