import type { Platform } from '../../converters/platform.ts';
import type { Cache } from '../cache/cache.ts';
import type { StateKeys } from '../client-state/keys.ts';
import { createUploadLocations, type UploadLocations } from '../client-state/upload-location.ts';
import type { Background } from '../concurrency/background.ts';
import type { LeaseLine } from '../concurrency/lease-line.ts';
import type { LeaseSemaphore } from '../concurrency/lease-semaphore.ts';
import type { LayerCodec } from '../layers/codec.ts';
import type { DecompressionLimits } from '../layers/decompression-limits.ts';
import { createLayerInspector } from '../layers/inspector.ts';
import { createLayerService, type LayerService } from '../layers/layer-service.ts';
import type { Pin } from '../negotiation/negotiate.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Aliases } from '../routing/aliases.ts';
import type { Match } from '../routing/match.ts';
import { createRepositoryNames, type RepositoryNames } from '../routing/repository-names.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import type { RequestContext } from '../upstream/request-context.ts';
import { type ContentStore, createContentStore } from './content-store.ts';
import { createEmptyLayerAccess, type EmptyLayerAccess } from './empty-layer-access.ts';
import {
  createManifestConverter,
  type ManifestConverter,
  type ManifestConverterOptions,
} from './manifests/converter.ts';
import { createPlatformSelector, type PlatformSelector } from './manifests/platform-selector.ts';
import { createRecipeSearch, type RecipeSearch } from './manifests/recipe-search.ts';
import { createPinger, type Pinger } from './ping.ts';
import type { ManifestBodies } from './push/manifest-bodies.ts';
import { createRecentTags, type RecentTags } from './recent-tags.ts';
import { createRepositoryVersions, type RepositoryVersions } from './repository-versions.ts';
import { createResolver, type Resolver } from './resolver.ts';

/** One upstream with its settings, and everything that is known of it: what a request is answered from. */
export interface Registry {
  readonly client: UpstreamClient;
  readonly pinger: Pinger;
  readonly resolver: Resolver;
  readonly content: ContentStore;
  readonly converter: ManifestConverter;
  readonly platformSelector: PlatformSelector;
  readonly recipeSearch: RecipeSearch;
  readonly emptyLayers: EmptyLayerAccess;
  readonly recentTags: RecentTags;
  /** Tags that clients asked for by API v2 which can only have them by API v1. */
  readonly tagsForV1: RecentTags;
  /** What its repositories are called on either side. */
  readonly repositoryNames: RepositoryNames;
  readonly layers: LayerService;
  /** Sends a stream whose length is known with that length: workerd would else send it in chunks. */
  readonly fixedLength: FixedLength;
  readonly pin: Pin;
  /** For clients that cannot choose and do not say. */
  readonly platform: Platform;
  readonly convertByDigest: boolean;
  /** An index that would have to be converted is given as the one image that the client will choose. */
  readonly servesOneOfList: (context: RequestContext) => boolean;
  readonly serves: (repository: string) => boolean;
  /** Whether clients may push and delete, as far as upstream lets them. */
  readonly takesPushes: boolean;
  readonly manifestBodies: ManifestBodies;
  readonly versions: RepositoryVersions;
  readonly uploadLocations: UploadLocations;
  /** Hands storage redirects on to the client instead of following them. */
  readonly redirectBlobs: boolean;
}

export type FixedLength = (stream: ReadableStream<Uint8Array>, length: number) => ReadableStream<Uint8Array>;

/** The settings of one registry. */
export interface RegistrySettings {
  /** Seconds for which a resolution may be used again. */
  readonly tagTtl: number;
  /** Seconds for which a public resolution, or an answer to a ping, may be used while upstream fails. */
  readonly staleFor: number;
  /** The form that all clients get which can read it. */
  readonly pin: Pin;
  /** The platform of clients that cannot choose one and do not name one. */
  readonly platform: Platform;
  /** Converts manifests that are requested by digest, too. */
  readonly convertByDigest: boolean;
  /** Serves an index that must be converted as a whole, or as one image; `auto`: as one where upstream counts pulls. */
  readonly lists: 'auto' | 'full' | 'one';
  /** Refuses schema 1 that upstream stores without a signature. */
  readonly refusesUnsigned: boolean;
  /** Hands redirects to storage on to the client instead of following them. */
  readonly redirectBlobs: boolean;
  /** Seconds that a manifest request waits for layers to be read. */
  readonly layerDeadline: number;
  /** Tags that one search for a digest resolves by HEAD. */
  readonly searchTags: number;
  /** Images that one search may fetch and convert; undefined for none where upstream counts pulls, and else a few. */
  readonly searchImages: number | undefined;
  /** Tags of a repository in API v1; undefined for a number that depends on whether upstream counts pulls. */
  readonly v1Tags: number | undefined;
  readonly aliases: Aliases;
  /** Whether a repository, by its name upstream, is served. */
  readonly serves: (repository: string) => boolean;
  /** A client's own login is one for upstream. */
  readonly passThrough: boolean;
  /** Whether clients may push and delete, as far as upstream lets them. */
  readonly takesPushes: boolean;
}

export interface RegistryOptions extends Pick<ManifestConverterOptions, 'signingKey'> {
  /** Names the route in claims and logs; the same in each process of a fleet. */
  readonly id: string;
  readonly settings: RegistrySettings;
  readonly match: Match;
  readonly client: UpstreamClient;
  /** Upstream is Docker Hub, where `busybox` is `library/busybox`. */
  readonly library: boolean;
  readonly cache: Cache;
  /** Memory for what is the route's own: proofs, and what manifests are. */
  readonly registryBytes: number;
  readonly codec: LayerCodec;
  /** Of all routes: reading a layer costs a connection, and a decoder's memory. */
  readonly layers: { readonly leases: LeaseSemaphore; readonly limits: DecompressionLimits };
  /** Of all routes: searches for digests given out elsewhere have their turns in it. */
  readonly searchLine: LeaseLine;
  /** Of all routes: pushed manifests are kept in memory. */
  readonly manifestBodies: ManifestBodies;
  readonly fixedLength: FixedLength;
  readonly background: Background;
  readonly metrics: Metrics;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** @throws RegistryError MISCONFIGURED where another process could not open what was sealed with them. */
  readonly stateKeys: () => Promise<StateKeys>;
}

/** How many images a search may fetch where upstream does not count pulls. */
const usualWalkGets = 8;

export function createRegistry(options: RegistryOptions): Registry {
  const { settings, match, client, cache, clock, signingKey, fixedLength, background, metrics } = options;
  const manifestInfoBytes = Math.floor(options.registryBytes / 4);
  const grantBytes = options.registryBytes - manifestInfoBytes;
  const content = createContentStore({
    client,
    cache,
    manifestInfoBytes,
    background,
    refusesUnsigned: settings.refusesUnsigned,
  });
  const layers = createLayers(options);
  const converter = createManifestConverter({
    upstream: client.id,
    content,
    cache,
    signingKey,
    readingFor: layers.readingFor,
    background,
    metrics,
  });
  const platformSelector = createPlatformSelector(content, converter);
  const { tagTtl: ttl, staleFor: stale } = settings;
  const versions = createRepositoryVersions();
  const resolver = createResolver({
    client,
    ttl,
    stale,
    clock,
    background,
    versions,
    content,
    grantBytes,
  });
  const known = {
    client,
    pinger: createPinger({ client, stale, clock }),
    resolver,
    content,
    converter,
    platformSelector,
    recentTags: createRecentTags(),
    tagsForV1: createRecentTags(),
    layers,
    versions,
  };
  const recipeSearch = createRecipeSearch({
    ...known,
    walkTags: settings.searchTags,
    walkGets: (context) => settings.searchImages ?? (resolver.countsPulls(context) ? 0 : usualWalkGets),
    clock,
    background,
    line: options.searchLine,
    route: options.id,
  });
  return {
    ...known,
    recipeSearch,
    emptyLayers: createEmptyLayerAccess({ ...known, ttl, clock, background }),
    fixedLength,
    pin: settings.pin,
    platform: settings.platform,
    convertByDigest: settings.convertByDigest,
    servesOneOfList: (context) =>
      settings.lists === 'one' || (settings.lists === 'auto' && resolver.countsPulls(context)),
    serves: settings.serves,
    repositoryNames: createRepositoryNames({
      match,
      aliases: settings.aliases,
      library: options.library,
    }),
    takesPushes: settings.takesPushes,
    manifestBodies: options.manifestBodies,
    uploadLocations: createUploadLocations(options.stateKeys, clock),
    redirectBlobs: settings.redirectBlobs,
  };
}

/** What is learned is a route's own: what goes wrong at one upstream is no matter of another's. */
function createLayers(options: RegistryOptions): LayerService {
  const { settings, client, cache, clock, codec, layers, background } = options;
  const inspector = createLayerInspector({
    codec,
    cache,
    clock,
    background,
    onReading: options.metrics.layerReads,
    ...layers,
  });
  return createLayerService({
    client,
    inspector,
    codec,
    limits: layers.limits,
    deadline: settings.layerDeadline,
    clock,
  });
}
