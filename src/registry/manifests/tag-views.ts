import { LRUCache } from 'lru-cache';
import type { Digest } from '../../../converters/digest.ts';
import type { Tag } from '../../../converters/reference.ts';
import type { Clock } from '../../clock.ts';
import { negativeMs } from '../search-allowance.ts';

/** The digests that the tags of a repository named; undefined for a tag that upstream listed and does not have. */
export type TagView = Map<Tag, Digest | undefined>;

/**
 * The tags that searches with one credential resolved in a repository, for half a minute. A view tells where to look
 * for a digest and gives no right to it.
 */
export interface TagViews {
  of(key: string): TagView | undefined;
  /** @param at by the clock: when upstream was asked. */
  put(key: string, view: TagView, at: number): void;
}

/** Tags of all views of a route: 200 bytes for each, mostly the digest. */
const mostTags = 20_000;

export function createTagViews(clock: Clock): TagViews {
  const views = new LRUCache<string, { readonly at: number; readonly view: TagView }>({
    maxSize: mostTags,
    sizeCalculation: ({ view }) => view.size + 1,
  });
  return {
    of(key) {
      const known = views.get(key);
      return known && clock() - known.at < negativeMs ? known.view : undefined;
    },
    put(key, view, at) {
      views.set(key, { at, view });
    },
  };
}
