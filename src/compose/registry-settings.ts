import type { Values } from '../config/settings.ts';
import type { RegistrySettings } from '../registry/registry-settings.ts';

/** The settings of one route as its registry takes them. */
export function registrySettings(settings: Values): RegistrySettings {
  const passThrough = settings.REGSHIFT_UPSTREAM_AUTH === 'passthrough';
  return {
    tagTtl: settings.REGSHIFT_TAG_TTL,
    staleFor: settings.REGSHIFT_STALE,
    upstreamTimeout: settings.REGSHIFT_UPSTREAM_TIMEOUT,
    pin: settings.REGSHIFT_FORMAT,
    platform: settings.REGSHIFT_PLATFORM,
    convertByDigest: settings.REGSHIFT_CONVERT_BY_DIGEST === 'always',
    lists: settings.REGSHIFT_LISTS,
    refusesUnsigned: settings.REGSHIFT_UNSIGNED_SCHEMA1 === 'refuse',
    keepsBlobs: settings.REGSHIFT_STORE_BLOBS === 'all',
    redirectBlobs: settings.REGSHIFT_BLOBS === 'redirect',
    layerDeadline: settings.REGSHIFT_MEASURE_DEADLINE,
    searchTags: settings.REGSHIFT_WALK_TAGS,
    searchImages: settings.REGSHIFT_WALK_GETS,
    v1Tags: settings.REGSHIFT_V1_TAGS,
    aliases: settings.REGSHIFT_ALIASES,
    serves: settings.REGSHIFT_REPOSITORIES,
    passThrough,
    // Where regshift uses one account for all clients, the right to read through it is no right to write.
    takesPushes: settings.REGSHIFT_PUSH === undefined ? passThrough : settings.REGSHIFT_PUSH === 'allow',
    pushFormat: settings.REGSHIFT_PUSH_FORMAT,
    refusesLosses: settings.REGSHIFT_PUSH_LOSSES === 'refuse',
  };
}

/** A registry lets pages read what a client's login may read, and does not know the proxy's own account. */
export function passesCors({ REGSHIFT_CORS: cors, REGSHIFT_UPSTREAM_AUTH: mode }: Values): boolean {
  return cors === 'registry' || (cors === 'auto' && mode === 'passthrough');
}
