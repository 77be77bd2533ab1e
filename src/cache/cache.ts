import type { Budget } from '../request/budget.ts';

/** Something remembered: bytes, and what is known of them. */
export interface CacheEntry {
  /** JSON values only. */
  readonly facts: Readonly<Record<string, unknown>>;
  readonly body: Uint8Array;
}

/**
 * Where immutable content is remembered: any entry may be lost at any time, none is ever wrong. What may be handed
 * to whom is not decided here.
 * @param budget of the request that this is done for: a cache that is not in memory costs it a request each time.
 */
export interface Cache {
  get(key: string, budget?: Budget): Promise<CacheEntry | undefined>;
  set(key: string, entry: CacheEntry, budget?: Budget): Promise<void>;
  /** What is known without a question to anyone. Absent from caches that are not in memory. */
  atHand?(key: string): CacheEntry | undefined;
  /**
   * Whether it should have the entry, and is not known to: it has lost all that it had, or could not be written to.
   * Tells without a question to anyone. Absent from caches that keep what they are given.
   */
  lacks?(key: string): boolean;
}
