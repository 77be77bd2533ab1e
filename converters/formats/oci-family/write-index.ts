import { annotationsOf } from '../../annotations.ts';
import type { Digest } from '../../digest.ts';
import type { Dialect } from '../../errors.ts';
import type { RawArray, RawObject } from '../../json/document.ts';
import { RawEdit } from '../../json/edit.ts';
import { asObject, type Field, optional, required, rootField } from '../../json/fields.ts';
import { encodeText } from '../../json/lossless-text.ts';
import { type Json, record, writeJson } from '../../json/write.ts';
import { goes } from '../../losses.ts';
import type { Index, IndexEntry, LossKind } from '../../model.ts';
import type { Platform } from '../../platform.ts';
import { relabelDescriptor } from './relabel.ts';

/** What manifest lists and OCI indexes differ in. */
export interface IndexFamily {
  readonly dialect: Dialect;
  readonly indexType: string;
  /** Whether it has annotations. */
  readonly annotated: boolean;
  /** Whether an index without `mediaType` gets one even where nothing else changes. */
  readonly needsMediaType: boolean;
  readonly indent: number;
}

/** What an entry of an index points to once its child is converted (or left as it is). */
export interface ConvertedEntry {
  /** Out of the index, or out of an index inside it that was opened. */
  readonly entry: IndexEntry;
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly platform: Platform | undefined;
}

/**
 * Writes a list or index over children that are already converted.
 * @param entries those that stay; the others are left out.
 * @param lost the kinds of members that go.
 */
export function writeDescriptorIndex(
  index: Index,
  entries: readonly ConvertedEntry[],
  family: IndexFamily,
  lost: ReadonlySet<LossKind>,
): Uint8Array {
  const { dialect } = index.source;
  const own = new Set(index.dependencies);
  const kept = (dialect === 'schema2' || dialect === 'oci') && entries.every(({ entry }) => own.has(entry));
  return encodeText(kept ? relabel(index, entries, family, lost) : layOut(index, entries, family));
}

function relabel(
  index: Index,
  entries: readonly ConvertedEntry[],
  family: IndexFamily,
  lost: ReadonlySet<LossKind>,
): string {
  const { document, dialect } = index.source;
  const edit = new RawEdit(document);
  const root = asObject(rootField(document));
  edit.removeMembers(root.value, (key) => goes(key, dialect, lost));
  if (dialect !== family.dialect || family.needsMediaType || optional(root, 'mediaType')) {
    edit.setString(root.value, 'mediaType', family.indexType, 'schemaVersion');
  }
  const byEntry = new Map(entries.map((each) => [each.entry, each]));
  const gone = index.dependencies.map((entry) => !byEntry.has(entry));
  if (gone.includes(true)) {
    edit.removeItems(required(root, 'manifests').value as RawArray, (at) => gone[at] ?? false);
  }
  for (const { entry, mediaType, digest, size, platform } of entries) {
    if (!entry.field) continue;
    relabelDescriptor(edit, entry.field, { mediaType, digest, size, dialect, lost });
    if (!entry.platform && platform) addPlatform(edit, entry.field, platform);
  }
  return edit.apply();
}

function addPlatform(edit: RawEdit, { value }: Field<RawObject>, platform: Platform): void {
  edit.set(value, 'platform', writeJson(platformJson(platform), 0), 'size');
}

function layOut(index: Index, entries: readonly ConvertedEntry[], family: IndexFamily): string {
  const { annotated, indexType, indent } = family;
  const list = record({
    schemaVersion: 2,
    mediaType: indexType,
    manifests: entries.map(({ entry, mediaType, digest, size, platform }) =>
      record({
        mediaType,
        size,
        digest,
        platform: platform && platformJson(platform),
        urls: digest === entry.digest && entry.urls.length > 0 ? entry.urls : undefined,
        annotations: annotated ? annotationsOf(entry.labels) : undefined,
      }),
    ),
    annotations: annotated ? annotationsOf(index.labels) : undefined,
  });
  return writeJson(list, indent);
}

/** The key order of distribution's PlatformSpec. */
function platformJson(platform: Platform): Json {
  const { architecture, os, osVersion, osFeatures, variant } = platform;
  return record({
    architecture,
    os,
    'os.version': osVersion || undefined,
    'os.features': osFeatures,
    variant: variant || undefined,
  });
}
