import { LRUCache } from 'lru-cache';

/**
 * The entries used last, at most so many. It takes room as it fills: lru-cache with a `max` takes all of it at once,
 * which for all tables of a route is 4 MB, and a proxy may have hundreds of routes.
 */
export function createLru<Key extends {}, Value extends {}>(most: number): LRUCache<Key, Value> {
  return new LRUCache({ maxSize: most, sizeCalculation: () => 1 });
}
