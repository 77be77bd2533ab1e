import type { ConvertedEntry } from '../descriptor-index.ts';
import { digestOf } from '../digest.ts';
import { ConversionError } from '../errors.ts';
import { layerTypeOf, mediaTypes } from '../media-types.ts';
import type { Descriptor, Image, Labels } from '../model.ts';
import type { Platform } from '../platform.ts';
import { encodeText } from '../raw-text.ts';

/** Writes one image in the form of proposal 993: `size`, labels on the descriptors, two spaces of indent. */
export function writeGeneric(image: Image): Uint8Array {
  if (image.target.kind !== 'config') {
    throw new ConversionError({
      code: 'INEXPRESSIBLE',
      message: 'A schema 1 image has no config; its layers must be read to make one',
      dialect: 'generic',
    });
  }
  const dependencies = [...image.dependencies, ...image.attachments];
  return document({
    schemaVersion: 2,
    target: { ...plain(image.target.descriptor), mediaType: mediaTypes.dockerConfig },
    dependencies: dependencies.map(plain),
    ...labelsOf(image.labels),
  });
}

/**
 * Writes a fat manifest: the platforms stand in the labels of the dependencies (proposal 62), and in the target's
 * own data too (its review), so that readers of either kind find them.
 * @returns the manifest, and the target that it names.
 */
export function writeFatGeneric(entries: readonly ConvertedEntry[]): {
  bytes: Uint8Array;
  target: Uint8Array;
} {
  const target = document(
    entries.map(({ digest, platform }) => ({
      os: platform?.os,
      arch: platform?.architecture,
      ...(platform?.variant ? { variant: platform.variant } : {}),
      manifestDigest: digest,
    })),
  );
  const bytes = document({
    schemaVersion: 2,
    target: { mediaType: mediaTypes.genericFatTarget, digest: digestOf(target), size: target.length },
    dependencies: entries.map(({ mediaType, digest, size, platform, entry }) => ({
      mediaType,
      digest,
      size,
      ...labelsOf(new Map([...entry.labels, ...platformLabels(platform)])),
    })),
  });
  return { bytes, target };
}

function platformLabels(platform: Platform | undefined): [string, string][] {
  if (!platform) return [];
  const labels: [string, string][] = [
    ['os', platform.os],
    ['arch', platform.architecture],
  ];
  return platform.variant ? [...labels, ['variant', platform.variant]] : labels;
}

function plain(descriptor: Descriptor): object {
  const { mediaType, digest, size, labels } = descriptor;
  if (size === undefined && layerTypeOf(mediaType)) {
    throw new ConversionError({
      code: 'INEXPRESSIBLE',
      message: 'The size of a layer is not known, and this form must state it',
      dialect: 'generic',
      found: digest,
    });
  }
  return { mediaType, size, digest, ...labelsOf(labels) };
}

function labelsOf(labels: Labels): object {
  return labels.size > 0 ? { labels: Object.fromEntries(labels) } : {};
}

function document(value: object): Uint8Array {
  return encodeText(JSON.stringify(value, null, 2));
}
