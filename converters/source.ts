import type { Bytes } from './bytes.ts';
import { digestOf } from './digest.ts';
import { ConversionError, type Dialect } from './errors.ts';
import type { RawDocument, RawObject } from './json/document.ts';
import {
  asCount,
  asObject,
  type Field,
  optional,
  refuseField,
  refuseLookAlikes,
  required,
  rootField,
} from './json/fields.ts';
import { parseJson } from './json/parse.ts';
import { checkDocumentSize } from './limits.ts';
import type { Source } from './model.ts';

/**
 * Parses a manifest strictly: within the size limit, valid JSON, and without repeated keys.
 * @throws ConversionError UNREADABLE, AMBIGUOUS or LIMIT.
 */
export function parseManifest(bytes: Uint8Array): RawDocument {
  checkDocumentSize(bytes, 'manifest');
  return parseJson(bytes, { what: 'manifest', keys: 'distinct' });
}

export function sourceOf(dialect: Dialect, mediaType: string, bytes: Bytes, document: RawDocument): Source {
  return { dialect, mediaType, bytes, digest: digestOf(bytes), document };
}

/** Members that only a manifest of this shape has. */
const shapes = {
  index: ['manifests'],
  image: ['config', 'layers'],
  generic: ['target', 'dependencies'],
  schema1: ['fsLayers', 'history'],
} as const;

const knownKeys: ReadonlySet<string> = new Set([
  ...Object.values(shapes).flat(),
  ...['schemaVersion', 'mediaType', 'annotations', 'subject', 'artifactType'],
  ...['labels', 'name', 'tag', 'architecture', 'signatures'],
]);

/**
 * The root object of a manifest, checked to have the keys of only one shape.
 * @throws ConversionError INVALID for another schemaVersion, AMBIGUOUS for keys of another shape.
 */
export function manifestRoot(
  document: RawDocument,
  dialect: Dialect,
  shape: keyof typeof shapes,
): Field<RawObject> {
  const root = asObject(rootField(document, dialect));
  const expected = shape === 'schema1' ? 1 : 2;
  const version = required(root, 'schemaVersion');
  if (asCount(version) !== expected) {
    refuseField(version, 'The schema version is not that of this dialect', `schemaVersion ${expected}`);
  }
  refuseLookAlikes(root, knownKeys);
  for (const [other, keys] of Object.entries(shapes)) {
    const foreign = other === shape ? undefined : keys.find((key) => isPresent(root, key));
    if (foreign !== undefined) throw ambiguous(dialect, foreign);
  }
  return root;
}

/** Whether a member is present. Go treats a null member as absent. */
function isPresent(root: Field<RawObject>, key: string): boolean {
  return optional(root, key) !== undefined;
}

/** The error for a manifest that two programs could read as two images. */
function ambiguous(dialect: Dialect, key: string): ConversionError {
  return new ConversionError({
    code: 'AMBIGUOUS',
    message: 'The manifest can be read in two ways (CVE-2021-41190), so it is not read at all',
    dialect,
    path: `$.${key}`,
    found: `the key "${key}" in a manifest of another shape`,
    expected: 'either the layers of an image or the manifests of an index',
  });
}
