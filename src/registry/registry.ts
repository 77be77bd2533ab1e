import type { Platform } from '../../converters/platform.ts';
import type { Cache } from '../cache/cache.ts';
import type { ClaimKeys } from '../client-state/keys.ts';
import { createElsewhere, type Elsewhere } from '../client-state/upload-location.ts';
import type { Background } from '../concurrency/background.ts';
import type { LeaseLine } from '../concurrency/lease-line.ts';
import type { LeaseSemaphore } from '../concurrency/lease-semaphore.ts';
import type { Values } from '../config/settings.ts';
import type { LayerCodec } from '../layers/codec.ts';
import type { UnpackLimits } from '../layers/decompression-limits.ts';
import { createLayerLearner } from '../layers/inspector.ts';
import { createLayerDesk, type LayerDesk } from '../layers/layer-service.ts';
import type { Pin } from '../negotiation/negotiate.ts';
import type { Meter } from '../observability/metrics.ts';
import type { Match } from '../routing/match.ts';
import { createNames, type Names } from '../routing/repository-names.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import type { Caller } from '../upstream/request-context.ts';
import { type Content, createContent } from './content-store.ts';
import { createEmptyLayerAccess, type EmptyLayerAccess } from './empty-layer-access.ts';
import { createWorkshop, type Workshop, type WorkshopOptions } from './manifests/converter.ts';
import { type Chooser, createChooser } from './manifests/platform-selector.ts';
import { createSearch, type Search } from './manifests/recipe-search.ts';
import { createPinger, type Pinger } from './ping.ts';
import type { ManifestBodies } from './push/manifest-bodies.ts';
import { createServedTags, type ServedTags } from './recent-tags.ts';
import { createWrites, type Writes } from './repository-versions.ts';
import { createResolver, type Resolver } from './resolver.ts';

/** One upstream with its settings, and everything that is known of it: what a request is answered from. */
export interface Route {
  readonly client: UpstreamClient;
  readonly pinger: Pinger;
  readonly resolver: Resolver;
  readonly content: Content;
  readonly workshop: Workshop;
  readonly chooser: Chooser;
  readonly search: Search;
  readonly emptyLayers: EmptyLayerAccess;
  readonly served: ServedTags;
  /** Tags that clients asked for by API v2 which can only have them by API v1. */
  readonly wanted: ServedTags;
  /** What its repositories are called on either side. */
  readonly names: Names;
  readonly layers: LayerDesk;
  /** Sends a stream whose length is known with that length: workerd would else send it in chunks. */
  readonly fixedLength: FixedLength;
  readonly pin: Pin;
  /** For clients that cannot choose and do not say. */
  readonly platform: Platform;
  readonly convertByDigest: boolean;
  /** An index that would have to be converted is given as the one image that the client will choose. */
  readonly oneOfList: (caller: Caller) => boolean;
  readonly serves: (repository: string) => boolean;
  /** Whether clients may push and delete, as far as upstream lets them. */
  readonly takesPushes: boolean;
  readonly manifestBodies: ManifestBodies;
  readonly writes: Writes;
  readonly elsewhere: Elsewhere;
  /** Hands storage redirects on to the client instead of following them. */
  readonly redirectBlobs: boolean;
}

export type FixedLength = (stream: ReadableStream<Uint8Array>, length: number) => ReadableStream<Uint8Array>;

export interface RouteOptions extends Pick<WorkshopOptions, 'signingKey'> {
  /** Names the route in claims and logs; the same in each process of a fleet. */
  readonly id: string;
  readonly settings: Values;
  readonly match: Match;
  readonly client: UpstreamClient;
  /** Upstream is Docker Hub, where `busybox` is `library/busybox`. */
  readonly library: boolean;
  readonly cache: Cache;
  /** Memory for what is the route's own: proofs, and what manifests are. */
  readonly routeBytes: number;
  readonly codec: LayerCodec;
  /** Of all routes: reading a layer costs a connection, and a decoder's memory. */
  readonly layers: { readonly leases: LeaseSemaphore; readonly limits: UnpackLimits };
  /** Of all routes: searches for digests given out elsewhere have their turns in it. */
  readonly searchLine: LeaseLine;
  /** Of all routes: pushed manifests are kept in memory. */
  readonly manifestBodies: ManifestBodies;
  readonly fixedLength: FixedLength;
  readonly background: Background;
  readonly meter: Meter;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** @throws Failure MISCONFIGURED where another process could not open what was sealed with them. */
  readonly claimKeys: () => Promise<ClaimKeys>;
}

/** How many images a search may fetch where upstream does not count pulls. */
const usualWalkGets = 8;

export function createRoute(options: RouteOptions): Route {
  const { settings, match, client, cache, clock, signingKey, fixedLength, background, meter } = options;
  const formBytes = Math.floor(options.routeBytes / 4);
  const proofBytes = options.routeBytes - formBytes;
  const content = createContent({
    client,
    cache,
    formBytes,
    background,
    refusesUnsigned: settings.REGSHIFT_UNSIGNED_SCHEMA1 === 'refuse',
  });
  const layers = createLayers(options);
  const workshop = createWorkshop({
    upstream: client.id,
    content,
    cache,
    signingKey,
    readingFor: layers.readingFor,
    background,
    meter,
  });
  const chooser = createChooser(content, workshop);
  const { REGSHIFT_TAG_TTL: ttl, REGSHIFT_STALE: stale } = settings;
  const writes = createWrites();
  const resolver = createResolver({ client, ttl, stale, clock, background, writes, content, proofBytes });
  const known = {
    client,
    pinger: createPinger({ client, stale, clock }),
    resolver,
    content,
    workshop,
    chooser,
    served: createServedTags(),
    wanted: createServedTags(),
    layers,
    writes,
  };
  const search = createSearch({
    ...known,
    walkTags: settings.REGSHIFT_WALK_TAGS,
    walkGets: (caller) => settings.REGSHIFT_WALK_GETS ?? (resolver.countsPulls(caller) ? 0 : usualWalkGets),
    clock,
    background,
    line: options.searchLine,
    route: options.id,
  });
  return {
    ...known,
    search,
    emptyLayers: createEmptyLayerAccess({ ...known, ttl, clock, background }),
    fixedLength,
    pin: settings.REGSHIFT_FORMAT,
    platform: settings.REGSHIFT_PLATFORM,
    convertByDigest: settings.REGSHIFT_CONVERT_BY_DIGEST === 'always',
    oneOfList: (caller) =>
      settings.REGSHIFT_LISTS === 'one' ||
      (settings.REGSHIFT_LISTS === 'auto' && resolver.countsPulls(caller)),
    serves: settings.REGSHIFT_REPOSITORIES ?? (() => true),
    names: createNames({ match, aliases: settings.REGSHIFT_ALIASES, library: options.library }),
    takesPushes: takesPushes(settings),
    manifestBodies: options.manifestBodies,
    elsewhere: createElsewhere(options.claimKeys, clock),
    redirectBlobs: settings.REGSHIFT_BLOBS === 'redirect',
  };
}

/** Where the proxy asks for all, who may read through it must not be able to write for that alone. */
function takesPushes({ REGSHIFT_PUSH: said, REGSHIFT_UPSTREAM_AUTH: mode }: Values): boolean {
  return said === undefined ? mode === 'passthrough' : said === 'allow';
}

/** What is learned is a route's own: what goes wrong at one upstream is no matter of another's. */
function createLayers(options: RouteOptions): LayerDesk {
  const { settings, client, cache, clock, codec, layers, background } = options;
  const learner = createLayerLearner({
    codec,
    cache,
    clock,
    background,
    onReading: options.meter.layerReading,
    ...layers,
  });
  const deadline = settings.REGSHIFT_MEASURE_DEADLINE;
  return createLayerDesk({ client, learner, codec, limits: layers.limits, deadline, clock });
}
