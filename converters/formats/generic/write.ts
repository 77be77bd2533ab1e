import { labelsOf, stringLabel } from '../../annotations.ts';
import type { Bytes } from '../../bytes.ts';
import { digestOf } from '../../digest.ts';
import { ConversionError } from '../../errors.ts';
import { RawEdit } from '../../json/edit.ts';
import { encodeText } from '../../json/lossless-text.ts';
import { type Json, record, writeJson } from '../../json/write.ts';
import { mediaTypes } from '../../media-types.ts';
import type { Descriptor, Image, Index, LossKind } from '../../model.ts';
import type { Platform } from '../../platform.ts';
import { relabelDescriptor } from '../oci-family/relabel.ts';
import type { ConvertedEntry } from '../oci-family/write-index.ts';

/** Spaces per level. The examples of proposals 62 and 993 have four, but no reader depends on the indent. */
const indent = 2;

/**
 * Writes an image as proposal 993 says: with `size`, and labels on the descriptors.
 * @throws ConversionError INEXPRESSIBLE when the image has no config, or a layer has no known size.
 */
export function writeGeneric(image: Image): Bytes {
  if (image.target.kind !== 'config') {
    throw new ConversionError({
      code: 'INEXPRESSIBLE',
      message: 'A schema 1 image has no config; its layers must be read to make one',
      dialect: 'generic',
    });
  }
  const manifest = record({
    schemaVersion: 2,
    target: descriptorJson({ ...image.target.descriptor, mediaType: mediaTypes.dockerConfig }),
    dependencies: [...image.dependencies, ...image.attachments].map(descriptorJson),
    labels: labelsOf(image.labels),
  });
  return encodeText(writeJson(manifest, indent));
}

/** Writes a stored generic manifest in its own layout; only the descriptors of replaced layers change. */
export function rewriteGeneric(image: Image): Bytes {
  const edit = new RawEdit(image.source.document);
  for (const { field, mediaType, digest, size } of image.dependencies) {
    if (field) relabelDescriptor(edit, field, { mediaType, digest, size, dialect: 'generic', lost: nothing });
  }
  return encodeText(edit.apply());
}

const nothing: ReadonlySet<LossKind> = new Set();

/**
 * Writes a fat manifest. The labels of the dependencies state the platforms (proposal 62), and so does the target (the
 * review of the proposal), for readers of either kind.
 * @returns the bytes of the manifest, and of the target that the manifest names.
 */
export function writeFatGeneric(
  index: Index,
  entries: readonly ConvertedEntry[],
): { bytes: Bytes; target: Bytes } {
  const table = entries.flatMap(({ digest, platform }) => (platform ? [platformRow(digest, platform)] : []));
  const target = encodeText(writeJson(table, indent));
  const manifest = record({
    schemaVersion: 2,
    target: record({ mediaType: mediaTypes.genericFatTarget, digest: digestOf(target), size: target.length }),
    dependencies: entries.map(({ mediaType, digest, size, platform, entry }) =>
      record({
        mediaType,
        digest,
        size,
        urls: digest === entry.digest && entry.urls.length > 0 ? entry.urls : undefined,
        labels: labelsOf(new Map([...entry.labels, ...platformLabels(platform)])),
      }),
    ),
    labels: labelsOf(index.labels),
  });
  return { bytes: encodeText(writeJson(manifest, indent)), target };
}

function platformRow(digest: string, { os, architecture, variant }: Platform): Json {
  return record({ os, arch: architecture, variant: variant || undefined, manifestDigest: digest });
}

function platformLabels(platform: Platform | undefined) {
  if (!platform) return new Map();
  const { os, architecture, variant, osVersion, osFeatures } = platform;
  const stated = Object.entries({
    os,
    arch: architecture,
    variant,
    'os.version': osVersion,
    'os.features': osFeatures?.join(','),
  });
  return new Map(stated.flatMap(([key, text]) => (text ? [[key, stringLabel(text)] as const] : [])));
}

function descriptorJson({ mediaType, size, digest, urls, labels, field }: Descriptor): Json {
  if (size === undefined) {
    throw new ConversionError({
      code: 'INEXPRESSIBLE',
      message: 'The size of a layer is not known, and this form must state it',
      dialect: 'generic',
      path: field?.path,
      found: digest,
    });
  }
  return record({
    mediaType,
    size,
    digest,
    urls: urls.length > 0 ? urls : undefined,
    labels: labelsOf(labels),
  });
}
