import { type Bytes, checkIsBytes } from './bytes.ts';
import { ConversionError } from './errors.ts';
import { readGeneric } from './formats/generic/read.ts';
import { readOciIndex, readOciManifest } from './formats/oci/dialect.ts';
import { readSchema1 } from './formats/schema1/read.ts';
import { readDockerList, readSchema2 } from './formats/schema2/dialect.ts';
import { member, type RawDocument, type RawObject } from './json/document.ts';
import { asCount, asObject, type Field, optional, optionalString, rootField } from './json/fields.ts';
import { bareMediaType, mediaTypes } from './media-types.ts';
import type { Model } from './model.ts';
import { parseManifest } from './source.ts';

/** Media type of a manifest that regshift reads. */
export type ManifestType =
  | typeof mediaTypes.generic
  | typeof mediaTypes.schema1
  | typeof mediaTypes.schema1Signed
  | typeof mediaTypes.schema2
  | typeof mediaTypes.dockerList
  | typeof mediaTypes.ociManifest
  | typeof mediaTypes.ociIndex;

/** The reader of each manifest type. A new dialect is one line here. */
const readers: Readonly<Record<ManifestType, (bytes: Bytes, document: RawDocument) => Model>> = {
  [mediaTypes.generic]: readGeneric,
  [mediaTypes.schema1]: readSchema1,
  [mediaTypes.schema1Signed]: readSchema1,
  [mediaTypes.schema2]: readSchema2,
  [mediaTypes.dockerList]: readDockerList,
  [mediaTypes.ociManifest]: readOciManifest,
  [mediaTypes.ociIndex]: readOciIndex,
};

/** A manifest with a known media type and parsed JSON, before a reader interprets its content. */
export interface Sketch {
  readonly mediaType: ManifestType;
  readonly document: RawDocument;
  readonly bytes: Bytes;
}

/**
 * Determines the media type of a manifest from its body. The Content-Type of upstream is only a hint: registries serve
 * manifests as `application/json`, and generic ones under the OCI index type.
 * @param contentType the Content-Type from upstream. It decides only if a body without `mediaType` fits two dialects.
 * @throws ConversionError UNREADABLE, UNKNOWN_DIALECT, AMBIGUOUS, INVALID or LIMIT.
 */
export function sketchManifest(bytes: Uint8Array, contentType?: string): Sketch {
  checkIsBytes(bytes, 'manifest');
  const document = parseManifest(bytes);
  const root = asObject(rootField(document));
  return { mediaType: typeOf(root, contentType), document, bytes };
}

/**
 * Reads a manifest of any dialect into the model. It does not verify signatures of schema 1; conversions and
 * `verifySchema1` do.
 * @throws ConversionError as `sketchManifest`, or NOT_AN_IMAGE.
 */
export function readManifest(bytes: Uint8Array, contentType?: string): Model {
  return readSketch(sketchManifest(bytes, contentType));
}

/** Reads a sketched manifest into the model. @throws ConversionError as `readManifest`. */
export function readSketch({ mediaType, document, bytes }: Sketch): Model {
  return readers[mediaType](bytes, document);
}

function typeOf(root: Field<RawObject>, contentType: string | undefined): ManifestType {
  const version = optional(root, 'schemaVersion');
  const stated = optionalString(root, 'mediaType') ?? '';
  if (version && asCount(version) === 1) {
    return optional(root, 'signatures') ? mediaTypes.schema1Signed : mediaTypes.schema1;
  }
  if (optional(root, 'target')) return mediaTypes.generic;
  const hint = isManifestType(stated) ? stated : bareMediaType(contentType ?? '');
  switch (shapeOf(root)) {
    case 'manifests':
      return shaped([mediaTypes.ociIndex, mediaTypes.dockerList], stated, hint, 'manifests');
    case 'layers':
      return shaped([mediaTypes.ociManifest, mediaTypes.schema2], stated, hint, 'layers');
    default:
      throw unknownDialect(root);
  }
}

/**
 * The shape of a manifest by its keys. A `manifests` that is null counts if no other key decides: Go writes an empty
 * list as null.
 */
function shapeOf(root: Field<RawObject>): 'manifests' | 'layers' | undefined {
  if (optional(root, 'manifests')) return 'manifests';
  if (optional(root, 'layers') || optional(root, 'config')) return 'layers';
  return member(root.value, 'manifests') && 'manifests';
}

export function isManifestType(type: string): type is ManifestType {
  return Object.hasOwn(readers, type);
}

/**
 * The type of a manifest with a known shape.
 * @param fitting the types of the shape; the first is the default.
 * @param hint the type that the body or the Content-Type states.
 * @throws ConversionError AMBIGUOUS when `stated` is a manifest type of another shape.
 */
function shaped(
  fitting: readonly [ManifestType, ManifestType],
  stated: string,
  hint: string,
  key: string,
): ManifestType {
  const found = fitting.find((type) => type === hint) ?? fitting[0];
  if (!isManifestType(stated) || found === stated) return found;
  throw new ConversionError({
    code: 'AMBIGUOUS',
    message: 'The manifest says one type and has the shape of another (CVE-2021-41190), so it is not read',
    path: `$.${key}`,
    found: `the mediaType ${stated} with "${key}"`,
    expected: 'a mediaType that fits the shape',
  });
}

function unknownDialect({ value }: Field<RawObject>): ConversionError {
  const keys = value.members.map(({ key }) => JSON.stringify(key)).join(', ');
  return new ConversionError({
    code: 'UNKNOWN_DIALECT',
    message: 'The document is no manifest of a known dialect',
    found: keys === '' ? 'no keys' : `the keys ${keys.slice(0, 120)}`,
    expected: '"target", "fsLayers", "config" and "layers", or "manifests"',
  });
}
