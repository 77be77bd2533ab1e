import { mapBounded } from '../../converters/concurrency.ts';
import { eitherSignal } from './deadline.ts';

export interface Collected<Item, Result> {
  readonly results: ReadonlyMap<Item, Result>;
  readonly errors: ReadonlyMap<Item, unknown>;
}

export interface CollectLimits {
  /** Maximum number of items in work at once. */
  readonly concurrency: number;
  readonly milliseconds: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Runs `work` for each item until all have ended or the time is over, and returns the results and errors so far. Work
 * that is still running then is aborted.
 */
export async function collectWithin<Item, Result>(
  items: readonly Item[],
  { concurrency, milliseconds, signal }: CollectLimits,
  work: (item: Item, signal: AbortSignal) => Promise<Result>,
): Promise<Collected<Item, Result>> {
  const results = new Map<Item, Result>();
  const errors = new Map<Item, unknown>();
  const over = new AbortController();
  const both = eitherSignal(signal, over.signal);
  const run = async (item: Item) => {
    if (both.aborted) return;
    try {
      const result = await work(item, both);
      if (!over.signal.aborted) results.set(item, result);
    } catch (error) {
      if (!over.signal.aborted) errors.set(item, error);
    }
  };
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  await Promise.race([mapBounded(items, concurrency, run), late]);
  clearTimeout(timer);
  over.abort();
  return { results, errors };
}
