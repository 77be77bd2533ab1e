import { mediaTypes } from '../../converters/media-types.ts';
import type { AcceptHeader } from './accept.ts';
import type { ClientProfile } from './client-profile.ts';

/** What a client reads, `Accept` and profile taken together. */
export interface ClientCapabilities {
  /** The manifest types it reads, as media types; signed schema 1 stands for both kinds. */
  readonly types: ReadonlySet<string>;
  /** Takes whatever is stored. */
  readonly wildcard: boolean;
  readonly zstd: boolean;
}

/** The oldest clients name nothing, or `application/json` alone: they read schema 1 and nothing else. */
export function capabilitiesOf(
  { named, wildcard }: AcceptHeader,
  profile: ClientProfile,
): ClientCapabilities {
  const types = new Set(named);
  if (types.has(mediaTypes.schema1) || types.has(mediaTypes.schema1Signed)) {
    types.add(mediaTypes.schema1).add(mediaTypes.schema1Signed);
  }
  const silent = !wildcard && ![...types].some((type) => modern.has(type));
  if (silent) types.add(mediaTypes.schema1).add(mediaTypes.schema1Signed);
  if (!profile.schema1) {
    types.delete(mediaTypes.schema1);
    types.delete(mediaTypes.schema1Signed);
  }
  if (!profile.oci) {
    types.delete(mediaTypes.ociManifest);
    types.delete(mediaTypes.ociIndex);
  }
  return { types, wildcard, zstd: profile.zstd && !silent };
}

const modern: ReadonlySet<string> = new Set([
  mediaTypes.schema2,
  mediaTypes.dockerList,
  mediaTypes.ociManifest,
  mediaTypes.ociIndex,
  mediaTypes.generic,
]);
