import { mapBounded } from '../../converters/concurrency.ts';

export interface Collected<Item, Result> {
  readonly found: ReadonlyMap<Item, Result>;
  readonly failed: ReadonlyMap<Item, unknown>;
}

export interface CollectLimits {
  /** How many are asked about at once. */
  readonly concurrency: number;
  readonly milliseconds: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Asks about each item, and gives what has come when all have or the time is over, those that failed beside those
 * that did not. What is under way then is aborted.
 */
export async function collectWithin<Item, Result>(
  items: readonly Item[],
  { concurrency, milliseconds, signal }: CollectLimits,
  ask: (item: Item, signal: AbortSignal) => Promise<Result>,
): Promise<Collected<Item, Result>> {
  const found = new Map<Item, Result>();
  const failed = new Map<Item, unknown>();
  const over = new AbortController();
  const both = signal ? AbortSignal.any([over.signal, signal]) : over.signal;
  const askOne = async (item: Item) => {
    if (both.aborted) return;
    try {
      const result = await ask(item, both);
      if (!over.signal.aborted) found.set(item, result);
    } catch (error) {
      if (!over.signal.aborted) failed.set(item, error);
    }
  };
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  await Promise.race([mapBounded(items, concurrency, askOne), late]);
  clearTimeout(timer);
  over.abort();
  return { found, failed };
}
