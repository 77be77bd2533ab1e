import { annotationsOf } from '../../annotations.ts';
import type { Bytes } from '../../bytes.ts';
import type { Digest } from '../../digest.ts';
import { compact, type RawArray, type RawObject, type RawValue } from '../../json/document.ts';
import { asObject, type Field, optional, required, rootField } from '../../json/fields.ts';
import { encodeText } from '../../json/lossless-text.ts';
import { type Json, type JsonRecord, record, writeJson } from '../../json/write.ts';
import { isLost } from '../../losses.ts';
import type { Index, IndexEntry, LossKind } from '../../model.ts';
import type { Platform } from '../../platform.ts';
import { type DialectRules, hasFamilyLayout, relabelDescriptor, relabelRoot } from './relabel.ts';

/** An entry of a new index: a stored entry, and the manifest that it names now. */
export interface ConvertedEntry {
  /** The stored entry, from the index or from an inner index that its entries replace. */
  readonly entry: IndexEntry;
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly platform: Platform | undefined;
}

/**
 * Writes a manifest list or OCI index whose manifests are already converted. A stored list or index keeps its layout,
 * unless it gets entries of an inner index.
 * @param entries the entries of the new index.
 * @param lost the kinds of content that the dialect cannot hold.
 */
export function writeDescriptorIndex(
  index: Index,
  entries: readonly ConvertedEntry[],
  rules: DialectRules,
  lost: ReadonlySet<LossKind>,
): Bytes {
  const own = new Set(index.dependencies);
  const keepsLayout = hasFamilyLayout(index.source.dialect) && entries.every(({ entry }) => own.has(entry));
  return encodeText(keepsLayout ? relabel(index, entries, rules, lost) : layOut(index, entries, rules, lost));
}

function relabel(
  index: Index,
  entries: readonly ConvertedEntry[],
  rules: DialectRules,
  lost: ReadonlySet<LossKind>,
): string {
  const { document, dialect } = index.source;
  const edit = relabelRoot(index.source, rules, lost);
  if (entries.length < index.dependencies.length + index.unusable.length) {
    const kept = new Set<RawValue | undefined>(entries.map(({ entry }) => entry.field?.value));
    const stored = required(asObject(rootField(document)), 'manifests').value as RawArray;
    edit.removeItems(stored, (at) => !kept.has(stored.items[at]));
  }
  for (const { entry, mediaType, digest, size, platform } of entries) {
    if (!entry.field) continue;
    relabelDescriptor(edit, entry.field, { mediaType, digest, size, dialect, lost });
    if (entry.platform || !platform) continue;
    edit.set(entry.field.value, 'platform', writeJson(platformJson(platform), 0), 'size');
  }
  return edit.apply();
}

function layOut(
  index: Index,
  entries: readonly ConvertedEntry[],
  rules: DialectRules,
  lost: ReadonlySet<LossKind>,
): string {
  const { annotated, mediaType, indent } = rules;
  const written = record({
    schemaVersion: 2,
    mediaType,
    manifests: entries.map((each) => entryJson(each, annotated, lost)),
    annotations: annotated ? annotationsOf(index.labels) : undefined,
  });
  const root = asObject(rootField(index.source.document, index.source.dialect));
  return writeJson(withOtherMembers(written, root, lost), indent);
}

function entryJson(
  { entry, mediaType, digest, size, platform }: ConvertedEntry,
  annotated: boolean,
  lost: ReadonlySet<LossKind>,
): Json {
  const isSame = digest === entry.digest;
  const stored = entry.field && optional(entry.field, 'platform');
  const json = platform && platformJson(platform);
  const written = record({
    mediaType,
    size,
    digest,
    platform: json && stored && !lost.has('platform') ? withOtherMembers(json, asObject(stored), lost) : json,
    urls: isSame && entry.urls.length > 0 ? entry.urls : undefined,
    annotations: annotated ? annotationsOf(entry.labels) : undefined,
  });
  return withOtherMembers(written, entry.field, lost, isSame ? [] : ['data', 'urls']);
}

/**
 * Adds the members of a stored object that are not written yet and that the new form can hold.
 * @param stale members that do not describe the new content.
 */
function withOtherMembers(
  written: JsonRecord,
  stored: Field<RawObject> | undefined,
  lost: ReadonlySet<LossKind>,
  stale: readonly string[] = [],
): JsonRecord {
  if (!stored || !hasFamilyLayout(stored.dialect)) return written;
  const { document, value, dialect } = stored;
  const keys = new Set([...written.members.map(([key]) => key), ...modelled, ...stale]);
  const others = value.members.filter(({ key }) => !keys.has(key) && !isLost(key, dialect, lost));
  return {
    members: [
      ...written.members,
      ...others.map((each) => [each.key, { raw: compact(document, each.value).toWellFormed() }] as const),
    ],
  };
}

/** Members that the model holds: where one of them is not written, it is not meant to be. */
const modelled = ['platform', 'os.version', 'os.features', 'variant', 'urls', 'annotations'];

/** The platform as JSON, in the key order of distribution's PlatformSpec. */
function platformJson(platform: Platform): JsonRecord {
  const { architecture, os, osVersion, osFeatures, variant } = platform;
  return record({
    architecture,
    os,
    'os.version': osVersion || undefined,
    'os.features': osFeatures,
    variant: variant || undefined,
  });
}
