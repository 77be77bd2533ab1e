import { mediaTypes } from '../../converters/media-types.ts';
import type { AcceptHeader } from './accept.ts';
import type { ClientProfile } from './client-profile.ts';

/** The manifests and layers that a client reads, by its `Accept` header and its profile. */
export interface ClientCapabilities {
  /** The media types of the manifests that it reads. Both schema 1 types are present or absent together. */
  readonly types: ReadonlySet<string>;
  /** True if it accepts any stored manifest. */
  readonly wildcard: boolean;
  /** True if it decompresses zstd layers. */
  readonly zstd: boolean;
}

/**
 * Combines header and profile. The oldest clients name no type, or only `application/json`: they read only schema 1.
 */
export function capabilitiesOf(
  { named, wildcard }: AcceptHeader,
  profile: ClientProfile,
): ClientCapabilities {
  const types = new Set(named);
  if (types.has(mediaTypes.schema1) || types.has(mediaTypes.schema1Signed)) {
    types.add(mediaTypes.schema1).add(mediaTypes.schema1Signed);
  }
  const isOldest = !wildcard && ![...types].some((type) => modern.has(type));
  if (isOldest) types.add(mediaTypes.schema1).add(mediaTypes.schema1Signed);
  if (!profile.schema1) {
    types.delete(mediaTypes.schema1);
    types.delete(mediaTypes.schema1Signed);
  }
  if (!profile.oci) {
    types.delete(mediaTypes.ociManifest);
    types.delete(mediaTypes.ociIndex);
  }
  return { types, wildcard, zstd: profile.zstd && !isOldest };
}

const modern: ReadonlySet<string> = new Set([
  mediaTypes.schema2,
  mediaTypes.dockerList,
  mediaTypes.ociManifest,
  mediaTypes.ociIndex,
  mediaTypes.generic,
]);
