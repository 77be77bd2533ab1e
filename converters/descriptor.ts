import { ConversionError } from './errors.ts';
import {
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
  stringEntries,
} from './fields.ts';
import { layerTypeOf } from './media-types.ts';
import type { Descriptor, IndexEntry, Labels, Layer } from './model.ts';
import type { Platform } from './platform.ts';
import type { RawObject } from './raw-json.ts';

/**
 * Reads a descriptor of any dialect: the byte count is `size`, or `length` as proposal 62 called it.
 * @throws ConversionError INVALID.
 */
export function readDescriptor(field: Field): Descriptor {
  const object = asObject(field);
  const urls = optional(object, 'urls');
  return {
    mediaType: asString(required(object, 'mediaType')),
    digest: asDigest(required(object, 'digest')),
    size: readSize(object),
    urls: urls ? asItems(urls).map(asString) : [],
    labels: readLabels(object, 'annotations'),
    field: object,
  };
}

function readSize(object: Field<RawObject>): number {
  const size = optional(object, 'size');
  const length = optional(object, 'length');
  if (size && length && asCount(size) !== asCount(length)) {
    refuse(object, 'A descriptor has a "size" and a "length" that differ', 'one of them, or both alike');
  }
  return asCount(size ?? length ?? required(object, 'size'));
}

/** Labels or annotations: strings, in the order written; absent is none. */
export function readLabels(object: Field<RawObject>, key: 'annotations' | 'labels'): Labels {
  const field = optional(object, key);
  return field ? stringEntries(field) : new Map();
}

/** @throws ConversionError NOT_AN_IMAGE when the type is not that of a layer. */
export function readLayer(field: Field): Layer {
  const descriptor = readDescriptor(field);
  return (
    layerOf(descriptor) ??
    notAnImage(field, `a layer of type ${descriptor.mediaType}`, 'a layer of a container image')
  );
}

/** The descriptor as a layer, or `undefined` when its type is not that of a layer. */
export function layerOf(descriptor: Descriptor): Layer | undefined {
  const type = layerTypeOf(descriptor.mediaType);
  return type && { ...descriptor, ...type };
}

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

/** An entry of a manifest list or an OCI index. */
export function readIndexEntry(field: Field): IndexEntry {
  const descriptor = readDescriptor(field);
  const object = asObject(field);
  const platformField = optional(object, 'platform');
  const platform = platformField && readPlatform(asObject(platformField));
  return {
    ...descriptor,
    platform,
    artifactType: optionalString(object, 'artifactType'),
    attestation: isAttestation(descriptor, platform),
  };
}

function readPlatform(object: Field<RawObject>): Platform | undefined {
  const os = optionalString(object, 'os');
  const architecture = optionalString(object, 'architecture');
  if (!os || !architecture) return undefined;
  const features = optional(object, 'os.features');
  return {
    os,
    architecture,
    variant: optionalString(object, 'variant'),
    osVersion: optionalString(object, 'os.version'),
    osFeatures: features ? asItems(features).map(asString) : undefined,
  };
}

/** buildkit marks its attestations in both ways (buildkit, docs/attestations/attestation-storage.md). */
function isAttestation(descriptor: Descriptor, platform: Platform | undefined): boolean {
  if (descriptor.labels.get('vnd.docker.reference.type') === 'attestation-manifest') return true;
  return platform?.os === 'unknown' && platform.architecture === 'unknown';
}
