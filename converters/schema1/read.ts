import type { Digest } from '../digest.ts';
import { ConversionError, excerpt } from '../errors.ts';
import {
  asBoolean,
  asCount,
  asDigest,
  asItems,
  asObject,
  asString,
  type Field,
  optional,
  optionalString,
  refuse,
  required,
  rootField,
} from '../fields.ts';
import { mediaTypes } from '../media-types.ts';
import type { Image, Layer } from '../model.ts';
import { member, parseJson, type RawDocument, stringValue } from '../raw-json.ts';
import { encodeText } from '../raw-text.ts';
import { ambiguous, parseManifest, sourceOf } from '../source.ts';
import { readPrettyJws, verifyPrettyJws } from './pretty-jws.ts';
import type { V1Entry } from './v1-entry.ts';

/**
 * Reads a schema 1 manifest, signed or not. Only the payload that the signatures cover is read (CVE-2014-8179);
 * the signatures themselves are checked by `verifySchema1`.
 * @throws ConversionError INVALID, SIGNATURE or UNREADABLE.
 */
export function readSchema1(bytes: Uint8Array, document: RawDocument): Image {
  const outer = asObject(rootField(document, 'schema1'));
  const { payload, signatures } = readPrettyJws(bytes, outer);
  const signed = signatures.length > 0;
  const inner = signed ? parseManifest(payload) : document;
  const root = asObject(rootField(inner, 'schema1'));
  for (const key of ['manifests', 'layers', 'config', 'target']) {
    if (optional(root, key)) ambiguous('schema1', key);
  }
  const blobs = asItems(required(root, 'fsLayers')).map((each) =>
    asDigest(required(asObject(each), 'blobSum')),
  );
  const history = required(root, 'history');
  const entries = asItems(history).map((each) => readV1Entry(required(asObject(each), 'v1Compatibility')));
  checkChain(history, blobs, entries);
  return {
    kind: 'image',
    source: {
      ...sourceOf('schema1', signed ? mediaTypes.schema1Signed : mediaTypes.schema1, payload, inner),
      bytes,
    },
    target: { kind: 'v1', signatures, entries, architecture: optionalString(root, 'architecture') ?? '' },
    dependencies: blobs.map(layerOfBlob).reverse(),
    attachments: [],
    labels: new Map(),
    subject: undefined,
  };
}

/** @throws ConversionError SIGNATURE when a signature of a schema 1 image does not hold. */
export async function verifySchema1(image: Image): Promise<void> {
  if (image.target.kind !== 'v1') return;
  const root = asObject(rootField(parseManifest(image.source.bytes), 'schema1'));
  await verifyPrettyJws(readPrettyJws(image.source.bytes, root));
}

function layerOfBlob(digest: Digest): Layer {
  return {
    mediaType: mediaTypes.genericLayer,
    digest,
    size: undefined,
    urls: [],
    labels: new Map(),
    field: undefined,
    compression: 'unknown',
    foreign: false,
    encrypted: false,
  };
}

function readV1Entry(field: Field): V1Entry {
  const document = parseJson(encodeText(asString(field)), {
    what: `v1Compatibility at ${field.path}`,
    dialect: 'schema1',
    duplicates: 'keep',
  });
  const root = asObject({ document, value: document.root, path: field.path, dialect: 'schema1' });
  const throwaway = optional(root, 'throwaway');
  const size = optional(root, 'Size');
  return {
    id: asString(required(root, 'id')),
    parent: optionalString(root, 'parent') ?? '',
    throwaway: throwaway ? asBoolean(throwaway) : false,
    size: size && asCount(size),
    document,
    root: root.value,
  };
}

const idPattern = /^[0-9a-f]{64}$/;

/** Old clients fail on each of these; so a broken chain is told apart here, once. */
function checkChain(history: Field, blobs: readonly Digest[], entries: readonly V1Entry[]): void {
  if (entries.length === 0 || blobs.length !== entries.length) {
    refuse(history, 'fsLayers and history do not match', `${blobs.length} entries, and at least one`);
  }
  entries.forEach((entry, index) => {
    const path = `$.history[${index}].v1Compatibility`;
    if (!idPattern.test(entry.id)) throw broken(path, `the id ${excerpt(entry.id)}`, '64 hex digits');
    const below = entries[index + 1];
    if (below === undefined) {
      const allowed = entry.parent === '' || (isWindows(entries) && idPattern.test(entry.parent));
      if (!allowed) throw broken(path, `the parent ${excerpt(entry.parent)} of the base`, 'none');
    } else if (entry.parent !== below.id && entry.id !== below.id) {
      throw broken(path, `the parent ${excerpt(entry.parent)}`, `${below.id}, the id of the entry below`);
    }
  });
  const seen = new Set<string>();
  entries.forEach(({ id }, index) => {
    // Consecutive entries of one id are one image (moby, distribution/pull_v2.go, fixManifestLayers).
    if (entries[index - 1]?.id === id) return;
    if (seen.has(id))
      throw broken(`$.history[${index}].v1Compatibility`, `the id ${id} again`, 'each id once');
    seen.add(id);
  });
}

/** The base of a Windows image of 2016 has a parent that stands for the system it was built on. */
function isWindows([top]: readonly V1Entry[]): boolean {
  if (!top) return false;
  const os = member(top.root, 'os');
  return os?.kind === 'string' && stringValue(top.document, os) === 'windows';
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
