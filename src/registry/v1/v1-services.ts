import type { RequestContext } from '../../upstream/request-context.ts';
import { createRequestedTags, type RecentTags, type RequestedTags } from '../recent-tags.ts';
import { createV1Images, type V1ImagesOptions } from './images.ts';
import { createV1Search, type V1Search, type V1SearchOptions } from './search.ts';
import { createV1Tags, type V1Tags, type V1TagsOptions } from './tags.ts';

/** The services of one registry for API v1. */
export interface V1Services {
  readonly tags: V1Tags;
  readonly search: V1Search;
  /** Tags that this replica served lately, by either API. */
  readonly recentTags: RecentTags;
  /** Tags that clients requested by API v2 and can only get by API v1. */
  readonly requestedTags: RequestedTags;
  /** A client's own login is one for upstream. */
  readonly passThrough: boolean;
}

export interface V1ServicesOptions
  extends V1ImagesOptions,
    Omit<V1SearchOptions, 'images' | 'tags'>,
    Pick<V1TagsOptions, 'client' | 'recentTags' | 'epochs'> {
  readonly settings: {
    /** Seconds for which a list of tags may be used again. */
    readonly tagTtl: number;
    /** The most tags of a repository; undefined for a number that depends on whether upstream counts pulls. */
    readonly v1Tags: number | undefined;
    readonly passThrough: boolean;
  };
}

const usualTags = 100;
/** Where upstream counts pulls, each tag costs one or two. */
const tagsWhereCounted = 8;

export function createV1Services(options: V1ServicesOptions): V1Services {
  const { resolver, recentTags } = options;
  const { tagTtl: ttl, v1Tags, passThrough } = options.settings;
  const requestedTags = createRequestedTags(options.memory);
  const most = (context: RequestContext) =>
    v1Tags ?? (resolver.countsPulls(context) ? tagsWhereCounted : usualTags);
  const tags = createV1Tags({ ...options, requestedTags, most, ttl });
  const search = createV1Search({ ...options, images: createV1Images(options), tags });
  return { tags, search, recentTags, requestedTags, passThrough };
}
