import { mediaTypes, schema1Types } from '../../converters/media-types.ts';
import type { AcceptHeader } from './accept.ts';
import type { Client } from './client-profile.ts';
import type { ClientProfile } from './client-rows.ts';

/** The manifests and layers that a client reads, by its `Accept` header and its profile. */
export interface ClientCapabilities {
  /**
   * The media types of the manifests that it reads, and how much it prefers each (`AcceptHeader.named`). Both schema 1
   * types are present or absent together.
   */
  readonly types: ReadonlyMap<string, number>;
  /** True if it accepts any stored manifest. */
  readonly wildcard: boolean;
  /** True if it accepts a document that has no other form. */
  readonly any: boolean;
  /** False if it does not read schema 1, even where it names that. */
  readonly schema1: boolean;
  /** True if it decompresses zstd layers. */
  readonly zstd: boolean;
  /** True if it knows the type that Docker has for zstd layers. */
  readonly dockerZstdType: boolean;
  /** True if it reads OCI types inside a schema 2 manifest. */
  readonly ociTypesInSchema2: boolean;
  /** True if it reads a schema 2 manifest or a list that does not state its type. */
  readonly untypedSchema2: boolean;
  /** True if it reads an index inside an index. */
  readonly nestedIndex: boolean;
  /** Limits that an operator sets. Absent for none, and always for a request by digest. */
  readonly limits?: TagLimits;
}

/** Limits for requests by tag, whatever the client reads. */
export interface TagLimits {
  /** Indexes go out without attestations. */
  readonly noAttestations: boolean;
  /** The image of one platform goes out for an index. */
  readonly oneImage: boolean;
  /** No zstd layers go out, also to a client that decompresses them, and would choose them in an index. */
  readonly noZstd: boolean;
}

export const noTagLimits: TagLimits = { noAttestations: false, oneImage: false, noZstd: false };

/** Whether zstd layers must not go out: a client that takes anything takes zstd, unless the operator has set that none does. */
export function lacksZstd({ zstd, wildcard, limits }: ClientCapabilities): boolean {
  return !zstd && (!wildcard || limits?.noZstd === true);
}

/**
 * Combines header and profile. The oldest clients name no type, or only `application/json`: they read only schema 1. A
 * client that names other types alone knows no manifest types, and gets what every client since 2016 reads.
 */
export function capabilitiesOf(accept: AcceptHeader, profile: ClientProfile): ClientCapabilities {
  const { wildcard, any, bare } = accept;
  const types = new Map(accept.named);
  const namesNone =
    !wildcard && !modern.some((type) => types.has(type)) && !schema1Types.some((type) => types.has(type));
  const isOldest = namesNone && (bare || !profile.namesTypes);
  if (isOldest) types.set(mediaTypes.schema1, 1);
  else if (namesNone) types.set(mediaTypes.schema2, 1);
  const schema1 = Math.max(...schema1Types.map((type) => types.get(type) ?? 0));
  // Update watchers (Watchtower, cup) name the OCI index and schema 2, and compare the digest with that of an engine
  // which reads OCI manifests. A client that names index types alone inspects the index and pulls no image.
  const ociIndex = types.get(mediaTypes.ociIndex);
  if (
    ociIndex !== undefined &&
    !types.has(mediaTypes.ociManifest) &&
    imageTypes.some((type) => types.has(type))
  )
    types.set(mediaTypes.ociManifest, ociIndex);
  for (const type of schema1Types) {
    if (schema1 > 0 && profile.schema1) types.set(type, schema1);
    else types.delete(type);
  }
  if (!profile.oci) {
    types.delete(mediaTypes.ociManifest);
    types.delete(mediaTypes.ociIndex);
  }
  return {
    types,
    wildcard,
    any,
    schema1: profile.schema1,
    zstd: profile.zstd && (wildcard || modern.some((type) => accept.named.has(type))),
    dockerZstdType: profile.dockerZstdType,
    ociTypesInSchema2: profile.ociTypesInSchema2 && types.has(mediaTypes.ociManifest),
    untypedSchema2: profile.untypedSchema2,
    nestedIndex: profile.nestedIndex,
  };
}

/** The capabilities of a client for a request by tag, and for one by digest. */
export interface RequestCapabilities {
  readonly capabilities: ClientCapabilities;
  /**
   * A client without `Accept` (curl, Go's default client, monitoring) gets the bytes that its digest names, unless it is
   * an engine that sends none and reads schema 1 alone. See also `Client.digestProfile`.
   */
  readonly digestCapabilities: ClientCapabilities;
}

/** Combines header and both profiles. Most clients have the same capabilities twice. */
export function requestCapabilities(
  accept: AcceptHeader,
  { profile, digestProfile }: Pick<Client, 'profile' | 'digestProfile'>,
): RequestCapabilities {
  const capabilities = capabilitiesOf(accept, profile);
  const byDigest = digestProfile === profile ? capabilities : capabilitiesOf(accept, digestProfile);
  const takesAny = accept.empty && digestProfile.namesTypes;
  return {
    capabilities,
    digestCapabilities: takesAny ? { ...byDigest, wildcard: true, any: true } : byDigest,
  };
}

const imageTypes = [...schema1Types, mediaTypes.schema2, mediaTypes.ociManifest];

const modern = [
  mediaTypes.schema2,
  mediaTypes.dockerList,
  mediaTypes.ociManifest,
  mediaTypes.ociIndex,
  mediaTypes.generic,
];
