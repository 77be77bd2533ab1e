import { readAnnotations, readLabels } from '../../annotations.ts';
import type { Digest } from '../../digest.ts';
import { ConversionError } from '../../errors.ts';
import type { RawObject } from '../../json/document.ts';
import {
  asCount,
  asDigest,
  asObject,
  asString,
  asStrings,
  type Field,
  optional,
  refuseField,
  refuseLookAlikes,
  required,
} from '../../json/fields.ts';
import { layerTypeOf } from '../../media-types.ts';
import type { Descriptor, Layer } from '../../model.ts';

const knownKeys: ReadonlySet<string> = new Set([
  ...['mediaType', 'digest', 'size', 'length', 'urls', 'annotations', 'labels'],
  ...['data', 'platform', 'artifactType'],
]);

/** Reads the digest of a descriptor. @throws ConversionError INVALID. */
type ReadDigest = (field: Field) => Digest;

/**
 * Reads a descriptor of schema 2 or OCI.
 * @throws ConversionError INVALID or AMBIGUOUS.
 */
export function readDescriptor(field: Field, readDigest: ReadDigest = asDigest): Descriptor {
  const object = asObject(field);
  return {
    ...readCommon(object, readDigest),
    size: asCount(required(object, 'size')),
    labels: readAnnotations(object),
  };
}

/**
 * Reads a descriptor of a generic manifest. The byte count is `size`, or `length` in proposal 62. The descriptor has
 * `labels` (proposal 993) where OCI has annotations.
 * @throws ConversionError INVALID or AMBIGUOUS.
 */
export function readGenericDescriptor(field: Field, readDigest: ReadDigest = asDigest): Descriptor {
  const object = asObject(field);
  return {
    ...readCommon(object, readDigest),
    size: readSize(object),
    labels: new Map([...readAnnotations(object), ...readLabels(object)]),
  };
}

function readCommon(object: Field<RawObject>, readDigest: ReadDigest): Omit<Descriptor, 'size' | 'labels'> {
  refuseLookAlikes(object, knownKeys);
  const urls = optional(object, 'urls');
  return {
    mediaType: asString(required(object, 'mediaType')),
    digest: readDigest(required(object, 'digest')),
    urls: urls ? asStrings(urls) : [],
    field: object,
  };
}

function readSize(object: Field<RawObject>): number {
  const size = optional(object, 'size');
  const length = optional(object, 'length');
  if (size && length && asCount(size) !== asCount(length)) {
    refuseField(object, 'A descriptor has a "size" and a "length" that differ', 'one of them, or both alike');
  }
  return asCount(size ?? length ?? required(object, 'size'));
}

/** Reads the descriptor of a layer. @throws ConversionError INVALID, AMBIGUOUS, or NOT_AN_IMAGE for another type. */
export function readLayer(field: Field): Layer {
  const descriptor = readDescriptor(field);
  return (
    layerOf(descriptor) ??
    notAnImage(field, `a layer of type ${descriptor.mediaType}`, 'a layer of a container image')
  );
}

/** The descriptor as a layer, or `undefined` if its type is not a layer type. */
export function layerOf(descriptor: Descriptor): Layer | undefined {
  const type = layerTypeOf(descriptor.mediaType);
  return type && { ...descriptor, ...type };
}

/** Refuses a manifest that is not an image. @throws ConversionError NOT_AN_IMAGE. */
export function notAnImage(field: Field, found: string, expected: string): never {
  throw new ConversionError({
    code: 'NOT_AN_IMAGE',
    message: 'This is not a container image that can be given in another form',
    dialect: field.dialect,
    path: field.path,
    found,
    expected,
  });
}
