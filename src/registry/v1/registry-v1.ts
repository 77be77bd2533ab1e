import type { V1Session } from '../../client-state/v1-session.ts';
import type { Background } from '../../concurrency/background.ts';
import type { LeaseLine } from '../../concurrency/lease-line.ts';
import type { Log } from '../../observability/log.ts';
import type { RequestContext } from '../../upstream/request-context.ts';
import type { Registry, RegistrySettings } from '../registry.ts';
import { createV1Images } from './images.ts';
import { createV1Search, type V1Search } from './search.ts';
import { createV1Tags, type V1Tags } from './tags.ts';

/** What requests of API v1 are answered from, beside the route. */
export interface RegistryV1 {
  readonly registry: Registry;
  readonly session: V1Session;
  readonly tags: V1Tags;
  readonly search: V1Search;
  /** A client's own login is one for upstream. */
  readonly passThrough: boolean;
  readonly log: Log;
}

export interface RegistryV1Options {
  /** The route's id. */
  readonly id: string;
  readonly registry: Registry;
  readonly session: V1Session;
  readonly settings: Pick<RegistrySettings, 'tagTtl' | 'v1Tags' | 'passThrough'>;
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
  const { registry, session, settings, clock, background, log } = options;
  const { client, resolver, recentTags, tagsForV1, versions } = registry;
  const most = (context: RequestContext) =>
    settings.v1Tags ?? (resolver.countsPulls(context) ? tagsWhereCounted : usualTags);
  const tags = createV1Tags({
    client,
    versions,
    recentTags,
    tagsForV1,
    most,
    ttl: settings.tagTtl,
    clock,
  });
  const bounds = { line: options.searchLine, route: options.id };
  const images = createV1Images(registry);
  const search = createV1Search({ resolver, images, tags, versions, clock, background, ...bounds });
  return {
    registry,
    session,
    tags,
    search,
    log,
    passThrough: settings.passThrough,
  };
}
