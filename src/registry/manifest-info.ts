import { unlessUnreadable } from '../../converters/errors.ts';
import { isLabelledZstd, namesImage } from '../../converters/indexes/entries.ts';
import { asObject, optionalString, rootField } from '../../converters/json/fields.ts';
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
  // An artifact in an image's form goes as it is to clients that read the form.
  const model = unlessUnreadable(read, 'NOT_AN_IMAGE');
  if (model === undefined) return opaqueManifest(mediaType);
  const isUntyped = hasUntypedSource(model);
  const untyped = isUntyped ? { untyped: true as const } : {};
  if (model.kind === 'index') {
    const hasImages = model.platformTable !== undefined || model.dependencies.some(namesImage);
    const ofNoImages = hasImages ? {} : { ofNoImages: true as const };
    return { ...plain(mediaType), ...untyped, ...ofNoImages, entries: entriesOf(model) };
  }
  return {
    ...untyped,
    mediaType,
    entries: undefined,
    zstd: model.dependencies.some(isZstd),
    dockerZstdType: model.dependencies.some((layer) => layer.mediaType === mediaTypes.dockerLayerZstd),
    singleFamily: !isUntyped && isSingleFamily(model),
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

function isSingleFamily({ source, target, dependencies }: Image): boolean {
  if (source.mediaType !== mediaTypes.schema2 || target.kind !== 'config') return true;
  const types = [target.descriptor, ...dependencies].map(({ mediaType }) => mediaType);
  return !types.some((type) => type.startsWith('application/vnd.oci.'));
}

/** Whether a document of Docker's, which states its type everywhere else, does not. OCI documents need not. */
function hasUntypedSource({ source }: Model): boolean {
  if (source.mediaType !== mediaTypes.schema2 && source.mediaType !== mediaTypes.dockerList) return false;
  return !optionalString(asObject(rootField(source.document)), 'mediaType');
}
