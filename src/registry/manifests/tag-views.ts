import { LRUCache } from 'lru-cache';
import type { Digest } from '../../../converters/digest.ts';
import type { Tag } from '../../../converters/reference.ts';
import { negativeMs } from '../search-allowance.ts';

/** What the tags of a repository named; undefined for a tag that upstream listed and does not have. */
export type TagView = Map<Tag, Digest | undefined>;

/**
 * What walks with one credential learned of a repository's tags, for half a minute. It tells where to look for a
 * digest and gives no right to it.
 */
export interface TagViews {
  of(key: string): TagView | undefined;
  keep(key: string, view: TagView): void;
}

/** Of a route: 200 bytes for each, mostly the digest. */
const mostTags = 20_000;

/** @param clock milliseconds since the epoch. */
export function createTagViews(clock: () => number): TagViews {
  const views = new LRUCache<string, { readonly at: number; readonly view: TagView }>({
    maxSize: mostTags,
    sizeCalculation: ({ view }) => view.size + 1,
  });
  return {
    of(key) {
      const known = views.get(key);
      return known && clock() - known.at < negativeMs ? known.view : undefined;
    },
    keep(key, view) {
      views.set(key, { at: clock(), view });
    },
  };
}
