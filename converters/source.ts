import { digestOf } from './digest.ts';
import { ConversionError, type Dialect } from './errors.ts';
import { asCount, asObject, type Field, optional, refuse, rootField } from './fields.ts';
import { checkDocumentSize } from './limits.ts';
import type { Source } from './model.ts';
import { parseJson, type RawDocument, type RawObject } from './raw-json.ts';

/** The strict reading that every manifest gets: bounded, real JSON, no key twice. */
export function parseManifest(bytes: Uint8Array): RawDocument {
  checkDocumentSize(bytes, 'manifest');
  return parseJson(bytes, { what: 'manifest', duplicates: 'refuse' });
}

export function sourceOf(
  dialect: Dialect,
  mediaType: string,
  bytes: Uint8Array,
  document: RawDocument,
): Source {
  return { dialect, mediaType, bytes, digest: digestOf(bytes), document };
}

/** The root of a manifest of `schemaVersion` 2, whose keys are all of one shape. */
export function manifestRoot(source: Source, foreignKeys: readonly string[]): Field<RawObject> {
  const root = asObject(rootField(source.document, source.dialect));
  const version = optional(root, 'schemaVersion');
  if (!version || asCount(version) !== 2) {
    refuse(version ?? root, 'The schema version is not that of this dialect', 'schemaVersion 2');
  }
  for (const key of foreignKeys) {
    if (optional(root, key)) ambiguous(source.dialect, key);
  }
  return root;
}

/** @throws always: two programs could read two images from one digest (CVE-2021-41190). */
export function ambiguous(dialect: Dialect, key: string): never {
  throw new ConversionError({
    code: 'AMBIGUOUS',
    message: 'The manifest can be read in two ways (CVE-2021-41190), so it is not read at all',
    dialect,
    path: `$.${key}`,
    found: `the key "${key}" in a manifest of another shape`,
    expected: 'either the layers of an image or the manifests of an index',
  });
}
