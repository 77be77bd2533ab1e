import type { Claims } from '../../client-state/v1-session.ts';
import type { Background } from '../../concurrency/background.ts';
import type { LeaseLine } from '../../concurrency/lease-line.ts';
import type { Values } from '../../config/settings.ts';
import type { Log } from '../../observability/log.ts';
import type { Caller } from '../../upstream/request-context.ts';
import type { Route } from '../registry.ts';
import { createV1Images } from './images.ts';
import { createV1Search, type V1Search } from './search.ts';
import { createV1Tags, type V1Tags } from './tags.ts';

/** What requests of API v1 are answered from, beside the route. */
export interface RegistryV1 {
  readonly route: Route;
  readonly claims: Claims;
  readonly tags: V1Tags;
  readonly search: V1Search;
  /** A client's own login is one for upstream. */
  readonly passThrough: boolean;
  readonly log: Log;
}

export interface RegistryV1Options {
  /** The route's id. */
  readonly id: string;
  readonly route: Route;
  readonly claims: Claims;
  readonly settings: Values;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly background: Background;
  readonly log: Log;
  /** The line of all searches of the process. */
  readonly searchLine: LeaseLine;
}

const usualTags = 100;
/** Where upstream counts pulls each tag is one, or two. */
const tagsWhereCounted = 8;

export function createRegistryV1(options: RegistryV1Options): RegistryV1 {
  const { route, claims, settings, clock, background, log } = options;
  const { client, resolver, served, wanted, writes } = route;
  const most = (caller: Caller) =>
    settings.REGSHIFT_V1_TAGS ?? (resolver.countsPulls(caller) ? tagsWhereCounted : usualTags);
  const tags = createV1Tags({ client, writes, served, wanted, most, ttl: settings.REGSHIFT_TAG_TTL, clock });
  const bounds = { line: options.searchLine, route: options.id };
  const images = createV1Images(route);
  const search = createV1Search({ resolver, images, tags, writes, clock, background, ...bounds });
  return { route, claims, tags, search, log, passThrough: settings.REGSHIFT_UPSTREAM_AUTH === 'passthrough' };
}
