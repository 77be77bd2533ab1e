import { ConversionError } from './errors.ts';
import { asCount, asObject, type Field, optional, optionalString, rootField } from './fields.ts';
import { readGeneric } from './generic/read.ts';
import { bareMediaType, mediaTypes } from './media-types.ts';
import type { Model } from './model.ts';
import { readOciIndex, readOciManifest } from './oci/read.ts';
import type { RawDocument, RawObject } from './raw-json.ts';
import { readSchema1 } from './schema1/read.ts';
import { readDockerList, readSchema2 } from './schema2/read.ts';
import { parseManifest } from './source.ts';

type ManifestType =
  | typeof mediaTypes.generic
  | typeof mediaTypes.schema1
  | typeof mediaTypes.schema1Signed
  | typeof mediaTypes.schema2
  | typeof mediaTypes.dockerList
  | typeof mediaTypes.ociManifest
  | typeof mediaTypes.ociIndex;

const readers: Readonly<Record<ManifestType, (bytes: Uint8Array, document: RawDocument) => Model>> = {
  [mediaTypes.generic]: readGeneric,
  [mediaTypes.schema1]: readSchema1,
  [mediaTypes.schema1Signed]: readSchema1,
  [mediaTypes.schema2]: readSchema2,
  [mediaTypes.dockerList]: readDockerList,
  [mediaTypes.ociManifest]: readOciManifest,
  [mediaTypes.ociIndex]: readOciIndex,
};

/** A manifest whose shape is known and whose content is not yet read. */
export interface Sketch {
  readonly mediaType: ManifestType;
  readonly document: RawDocument;
  readonly bytes: Uint8Array;
}

/**
 * Tells a manifest's form by its body. What upstream's Content-Type says is only a hint: registries serve
 * manifests as `application/json`, and generic ones under the OCI index type.
 * @param contentType as upstream gave it; decides where a body without `mediaType` fits two dialects.
 * @throws ConversionError UNREADABLE, AMBIGUOUS, INVALID or LIMIT.
 */
export function sketchManifest(bytes: Uint8Array, contentType?: string): Sketch {
  const document = parseManifest(bytes);
  const root = asObject(rootField(document));
  return { mediaType: typeOf(root, contentType), document, bytes };
}

/** Reads a manifest of any dialect into the model. @throws ConversionError. */
export function readManifest(bytes: Uint8Array, contentType?: string): Model {
  return readSketch(sketchManifest(bytes, contentType));
}

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
  const hint = stated || bareMediaType(contentType ?? '');
  if (optional(root, 'manifests')) return indexType(stated, hint);
  if (optional(root, 'layers') || optional(root, 'config')) return imageType(stated, hint);
  throw new ConversionError({
    code: 'UNKNOWN_DIALECT',
    message: 'The document is no manifest of a known dialect',
    found: `the keys ${
      root.value.members
        .map(({ key }) => JSON.stringify(key))
        .join(', ')
        .slice(0, 120) || 'none'
    }`,
    expected: '"target", "fsLayers", "config" and "layers", or "manifests"',
  });
}

function indexType(stated: string, hint: string): ManifestType {
  if (stated === mediaTypes.schema2 || stated === mediaTypes.ociManifest)
    throw contradiction(stated, 'manifests');
  return hint === mediaTypes.dockerList ? mediaTypes.dockerList : mediaTypes.ociIndex;
}

function imageType(stated: string, hint: string): ManifestType {
  if (stated === mediaTypes.dockerList || stated === mediaTypes.ociIndex)
    throw contradiction(stated, 'layers');
  return hint === mediaTypes.schema2 ? mediaTypes.schema2 : mediaTypes.ociManifest;
}

function contradiction(stated: string, key: string): ConversionError {
  return new ConversionError({
    code: 'AMBIGUOUS',
    message: 'The manifest says one type and has the shape of another (CVE-2021-41190), so it is not read',
    path: `$.${key}`,
    found: `the mediaType ${stated} with "${key}"`,
    expected: 'a mediaType that fits the shape',
  });
}
