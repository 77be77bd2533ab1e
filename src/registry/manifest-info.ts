import { ConversionError } from '../../converters/errors.ts';
import { isLabelledZstd } from '../../converters/indexes/entries.ts';
import { optional, rootField } from '../../converters/json/fields.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import type { Image, Index, Model } from '../../converters/model.ts';
import { isZstd } from '../../converters/steps/decompress-layers.ts';
import type { ManifestInfo } from '../negotiation/negotiate.ts';
import type { StoredEntry } from '../negotiation/stored-entries.ts';
import type { ReadManifest } from '../request/last-manifest.ts';

/**
 * Reads the facts of a stored manifest that negotiation needs.
 * @throws ConversionError for a document that is dangerous to read.
 */
export function manifestInfoOf({ sketch, model: read }: ReadManifest): ManifestInfo {
  const { mediaType } = sketch;
  const model = modelOf(read);
  if (model === undefined) return opaqueManifest(mediaType);
  if (model.kind === 'index') return { ...plain(mediaType), entries: entriesOf(model) };
  return {
    mediaType,
    entries: undefined,
    zstd: model.dependencies.some(isZstd),
    dockerZstdType: model.dependencies.some((layer) => layer.mediaType === mediaTypes.dockerLayerZstd),
    singleFamily: isSingleFamily(model),
  };
}

/** The facts of a document without another form. */
export function opaqueManifest(mediaType: string): ManifestInfo {
  return { ...plain(mediaType), opaque: true };
}

function plain(mediaType: string): ManifestInfo {
  return { mediaType, entries: undefined, zstd: false, dockerZstdType: false, singleFamily: true };
}

function entriesOf({ dependencies }: Index): StoredEntry[] {
  return dependencies.map((entry) => {
    const { mediaType, digest, platform, attestation } = entry;
    return { mediaType, digest, platform, attestation, zstd: isLabelledZstd(entry) };
  });
}

/** @returns undefined for an artifact in an image's form, which clients that read the form get as it is. */
function modelOf(read: () => Model): Model | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof ConversionError && error.code === 'NOT_AN_IMAGE') return undefined;
    throw error;
  }
}

function isSingleFamily({ source, target, dependencies }: Image): boolean {
  if (source.mediaType !== mediaTypes.schema2 || target.kind !== 'config') return true;
  const root = rootField(source.document);
  const types = [target.descriptor, ...dependencies].map(({ mediaType }) => mediaType);
  const stated = root.value.kind === 'object' && optional({ ...root, value: root.value }, 'mediaType');
  return Boolean(stated) && !types.some((type) => type.startsWith('application/vnd.oci.'));
}
