import { isArtifact } from '../formats/oci-family/index-entry.ts';
import { bareMediaType, imageConfigTypes, layerTypeOf, mediaTypes } from '../media-types.ts';
import type { IndexEntry } from '../model.ts';
import { formatPlatform, type Platform } from '../platform.ts';
import { isManifestType } from '../read.ts';

/** Media types that fat generic manifests use for the manifest of a platform: those of a config. */
const looseTypes: readonly string[] = [...imageConfigTypes, mediaTypes.json];

/**
 * Whether an entry can be a manifest. The index of a BuildKit cache names layers and
 * `application/vnd.buildkit.cacheconfig.v0` (buildkit, cache/remotecache/v1).
 */
export function mayBeManifest({ mediaType }: Pick<IndexEntry, 'mediaType'>): boolean {
  const bare = bareMediaType(mediaType);
  return isManifestType(bare) || looseTypes.includes(bare);
}

/** Whether an entry can be an image, or an index of images. */
export function namesImage(entry: IndexEntry): boolean {
  return !entry.attestation && !isArtifact(entry) && mayBeManifest(entry);
}

/** Whether an entry is a blob and no manifest: a layer, or the config of a BuildKit cache. */
export function isBlobEntry({ mediaType }: Pick<IndexEntry, 'mediaType'>): boolean {
  return layerTypeOf(mediaType) !== undefined || mediaType === 'application/vnd.buildkit.cacheconfig.v0';
}

/**
 * Whether an entry says that its image has zstd layers. containers/image writes the annotation, and puts the gzip image
 * of the same platform before the entry (internal/manifest/oci_index.go).
 */
export function isLabelledZstd({ labels }: Pick<IndexEntry, 'labels'>): boolean {
  return labels.get('io.github.containers.compression.zstd')?.text === 'true';
}

type PlatformEntry = Pick<IndexEntry, 'platform' | 'attestation'>;

/**
 * The gzip image of the platform of a zstd image.
 * @param images entries of its index: artifacts among them, which may have a platform too, count as images.
 * @param isZstd whether an entry says that its image has zstd layers.
 */
export function gzipTwinOf<Entry extends PlatformEntry>(
  entry: Entry,
  images: readonly Entry[],
  isZstd: (entry: Entry) => boolean,
): Entry | undefined {
  const { platform } = entry;
  if (!platform || !isZstd(entry)) return undefined;
  const name = wholeName(platform);
  return images.find(
    (each) => !each.attestation && !isZstd(each) && each.platform && wholeName(each.platform) === name,
  );
}

/** The platform with all that tells images of one `formatPlatform` apart: Windows images are for one `os.version`. */
function wholeName(platform: Platform): string {
  const { osVersion = '', osFeatures = [] } = platform;
  return [formatPlatform(platform), osVersion, ...osFeatures].join(' ');
}
