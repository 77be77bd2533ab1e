import { noLabels } from '../../annotations.ts';
import type { Bytes } from '../../bytes.ts';
import type { Digest } from '../../digest.ts';
import { ConversionError, excerpt } from '../../errors.ts';
import { member, type RawDocument, stringValue } from '../../json/document.ts';
import {
  asBoolean,
  asDigest,
  asItems,
  asObject,
  asString,
  type Field,
  optional,
  optionalString,
  refuseField,
  refuseLookAlikes,
  required,
  rootField,
} from '../../json/fields.ts';
import { parseJsonText } from '../../json/parse.ts';
import type { JsonCount } from '../../json/scanner.ts';
import { checkDescriptorCount } from '../../limits.ts';
import { mediaTypes } from '../../media-types.ts';
import type { Image, Layer, V1Entry } from '../../model.ts';
import type { Platform } from '../../platform.ts';
import { manifestRoot, parseManifest, sourceOf } from '../../source.ts';
import { readPrettyJws } from './pretty-jws.ts';

/**
 * Reads a schema 1 manifest, signed or unsigned. It reads only the payload that the signatures sign (CVE-2014-8179).
 * `verifySchema1` verifies the signatures.
 * @throws ConversionError INVALID, AMBIGUOUS, SIGNATURE, LIMIT or UNREADABLE.
 */
export function readSchema1(bytes: Bytes, document: RawDocument): Image {
  const outer = asObject(rootField(document, 'schema1'));
  const { payload, signatures } = readPrettyJws(bytes, outer);
  const signed = signatures.length > 0;
  const inner = signed ? parseManifest(payload) : document;
  const root = manifestRoot(inner, 'schema1', 'schema1');
  const layers = asItems(required(root, 'fsLayers'));
  const history = required(root, 'history');
  checkDescriptorCount(layers.length, '$.fsLayers', 'schema1');
  checkDescriptorCount(asItems(history).length, '$.history', 'schema1');
  const blobs = layers.map((each) => asDigest(memberOf(each, 'blobSum')));
  const count = { values: 0, escapes: 0 };
  const entries = asItems(history).map((each) => readV1Entry(memberOf(each, 'v1Compatibility'), count));
  checkChain(history, blobs, entries);
  const mediaType = signed ? mediaTypes.schema1Signed : mediaTypes.schema1;
  return {
    kind: 'image',
    source: { ...sourceOf('schema1', mediaType, payload, inner), bytes },
    target: {
      kind: 'v1',
      signatures,
      entries,
      platform: platformOf(optionalString(root, 'architecture'), entries),
    },
    dependencies: blobs.map(layerOfBlob).reverse(),
    attachments: [],
    labels: noLabels,
    subject: undefined,
  };
}

const itemKeys: ReadonlySet<string> = new Set(['blobSum', 'v1Compatibility']);

/** The member of an item of `fsLayers` or `history`. @throws ConversionError INVALID or AMBIGUOUS. */
function memberOf(item: Field, key: string): Field {
  const object = asObject(item);
  refuseLookAlikes(object, itemKeys);
  return required(object, key);
}

/** Keys of a v1 image that decide which images and layers there are. */
const v1Keys: ReadonlySet<string> = new Set(['id', 'parent', 'throwaway']);

/**
 * Reads one history entry.
 * @param field the string that contains the JSON of the v1 image.
 * @param count the values in the JSON of all entries.
 */
function readV1Entry(field: Field, count: JsonCount): V1Entry {
  const document = parseJsonText(asString(field), {
    what: `v1Compatibility at ${field.path}`,
    dialect: 'schema1',
    keys: 'as Go',
    count,
  });
  const root = asObject({ document, value: document.root, path: field.path, dialect: 'schema1' });
  refuseLookAlikes(root, v1Keys);
  const throwaway = optional(root, 'throwaway');
  return {
    id: asString(required(root, 'id')),
    parent: optionalString(root, 'parent') ?? '',
    throwaway: throwaway ? asBoolean(throwaway) : false,
    document,
    root: root.value,
  };
}

function layerOfBlob(digest: Digest): Layer {
  return {
    mediaType: mediaTypes.genericLayer,
    digest,
    size: undefined,
    urls: [],
    labels: noLabels,
    field: undefined,
    compression: 'unknown',
    foreign: false,
    encrypted: false,
  };
}

const idPattern = /^[0-9a-f]{64}$/;

/** Refuses a broken chain of v1 images, because old clients fail on each of these faults. */
function checkChain(history: Field, blobs: readonly Digest[], entries: readonly V1Entry[]): void {
  if (entries.length === 0 || blobs.length !== entries.length) {
    refuseField(history, 'fsLayers and history do not match', `${blobs.length} entries, and at least one`);
  }
  const seen = new Set<string>();
  entries.forEach((entry, index) => {
    const path = `$.history[${index}].v1Compatibility`;
    if (!idPattern.test(entry.id)) throw broken(path, `the id ${excerpt(entry.id)}`, '64 hex digits');
    checkParent(entries, index, path);
    // Consecutive entries of one id are one image (moby, distribution/pull_v2.go, fixManifestLayers).
    if (entries[index - 1]?.id === entry.id) return;
    if (seen.has(entry.id)) throw broken(path, `the id ${entry.id} again`, 'each id once');
    seen.add(entry.id);
  });
}

function checkParent(entries: readonly V1Entry[], index: number, path: string): void {
  const [entry, below] = [entries[index], entries[index + 1]];
  if (!entry) return;
  if (below) {
    if (entry.parent === below.id || entry.id === below.id) return;
    throw broken(path, `the parent ${excerpt(entry.parent)}`, `${below.id}, the id of the entry below`);
  }
  if (entry.parent === '' || (isWindows(entries) && idPattern.test(entry.parent))) return;
  throw broken(path, `the parent ${excerpt(entry.parent)} of the base`, 'none');
}

/** The base of a Windows image of 2016 has a parent: the system that the image was built on. */
function isWindows(entries: readonly V1Entry[]): boolean {
  return systemOf(entries) === 'windows';
}

/** The operating system of the top image. Images from before Docker supported others state none; it is Linux. */
function systemOf([top]: readonly V1Entry[]): string {
  const os = top && member(top.root, 'os');
  return top && os?.kind === 'string' ? stringValue(top.document, os) : 'linux';
}

function platformOf(architecture: string | undefined, entries: readonly V1Entry[]): Platform | undefined {
  return architecture ? { os: systemOf(entries), architecture } : undefined;
}

function broken(path: string, found: string, expected: string): ConversionError {
  return new ConversionError({
    code: 'INVALID',
    message: 'The chain of v1 images is broken',
    dialect: 'schema1',
    path,
    found,
    expected,
  });
}
