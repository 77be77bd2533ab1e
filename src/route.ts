import type { Platform } from '../converters/platform.ts';
import type { Cache } from './cache/cache.ts';
import type { Settings } from './config/settings.ts';
import { type Chooser, createChooser } from './derived/chooser.ts';
import { createSearch, type Search } from './derived/search.ts';
import { createServedTags, type ServedTags } from './derived/served-tags.ts';
import { createWorkshop, type Workshop, type WorkshopOptions } from './derived/workshop.ts';
import type { Pin } from './negotiation/decide.ts';
import { type Content, createContent } from './stored/content.ts';
import { createResolver, type Resolver } from './stored/resolve.ts';
import type { UpstreamClient } from './upstream/client.ts';

/** One upstream with its settings, and everything that is known of it: what a request is answered from. */
export interface Route {
  readonly client: UpstreamClient;
  readonly resolver: Resolver;
  readonly content: Content;
  readonly workshop: Workshop;
  readonly chooser: Chooser;
  readonly search: Search;
  readonly served: ServedTags;
  readonly pin: Pin;
  /** For clients that cannot choose and do not say. */
  readonly platform: Platform;
  readonly convertByDigest: boolean;
  /** An index that would have to be converted is given as the one image that the client will choose. */
  readonly oneOfList: () => boolean;
  readonly serves: (repository: string) => boolean;
  /** Hands storage redirects on to the client instead of following them. */
  readonly redirectBlobs: boolean;
}

export interface RouteOptions extends Pick<WorkshopOptions, 'signingKey' | 'layerFacts'> {
  readonly settings: Settings;
  readonly client: UpstreamClient;
  readonly cache: Cache;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** How many images a search may fetch where upstream does not count pulls. */
const usualWalkGets = 8;

export function createRoute({ settings, client, cache, clock, signingKey, layerFacts }: RouteOptions): Route {
  const content = createContent(client, cache);
  const workshop = createWorkshop({ upstream: client.id, content, cache, signingKey, layerFacts });
  const chooser = createChooser(content, workshop);
  const { REGSHIFT_TAG_TTL: ttl, REGSHIFT_STALE: stale } = settings;
  const resolver = createResolver({ client, ttl, stale, clock });
  const known = { client, resolver, content, workshop, chooser, served: createServedTags() };
  const search = createSearch({
    ...known,
    walkTags: settings.REGSHIFT_WALK_TAGS,
    walkGets: () => settings.REGSHIFT_WALK_GETS ?? (resolver.countsPulls() ? 0 : usualWalkGets),
    clock,
  });
  return {
    ...known,
    search,
    pin: settings.REGSHIFT_FORMAT,
    platform: settings.REGSHIFT_PLATFORM,
    convertByDigest: settings.REGSHIFT_CONVERT_BY_DIGEST === 'always',
    oneOfList: () =>
      settings.REGSHIFT_LISTS === 'one' || (settings.REGSHIFT_LISTS === 'auto' && resolver.countsPulls()),
    serves: settings.REGSHIFT_REPOSITORIES ?? (() => true),
    redirectBlobs: settings.REGSHIFT_BLOBS === 'redirect',
  };
}
