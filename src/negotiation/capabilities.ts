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
  /** True if it knows the type that Docker has for zstd layers. */
  readonly dockerZstdType: boolean;
  /** True if it reads OCI types inside a schema 2 manifest. */
  readonly ociTypesInSchema2: boolean;
  /** True if it reads an index inside an index. */
  readonly nestedIndex: boolean;
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
  // Update watchers (Watchtower, cup) name the OCI index and schema 2, and compare the digest with that of an engine
  // which reads OCI manifests. A client that names index types alone inspects the index and pulls no image.
  if (types.has(mediaTypes.ociIndex) && imageTypes.some((type) => types.has(type)))
    types.add(mediaTypes.ociManifest);
  if (!profile.schema1) {
    types.delete(mediaTypes.schema1);
    types.delete(mediaTypes.schema1Signed);
  }
  if (!profile.oci) {
    types.delete(mediaTypes.ociManifest);
    types.delete(mediaTypes.ociIndex);
  }
  return {
    types,
    wildcard,
    zstd: profile.zstd && !isOldest,
    dockerZstdType: profile.dockerZstdType,
    ociTypesInSchema2: profile.ociTypesInSchema2 && types.has(mediaTypes.ociManifest),
    nestedIndex: profile.nestedIndex,
  };
}

const imageTypes = [mediaTypes.schema1, mediaTypes.schema2, mediaTypes.ociManifest];

const modern: ReadonlySet<string> = new Set([
  mediaTypes.schema2,
  mediaTypes.dockerList,
  mediaTypes.ociManifest,
  mediaTypes.ociIndex,
  mediaTypes.generic,
]);
