/**
 * Maps items with at most `limit` pending promises. The results have the order of the items.
 * @throws the first error of `map`; after that error, no further item starts.
 */
export async function mapBounded<Item, Result>(
  items: readonly Item[],
  limit: number,
  map: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results = new Array<Result>(items.length);
  const pending = [...items.entries()].reverse();
  const worker = async () => {
    for (let next = pending.pop(); next; next = pending.pop()) {
      const [index, item] = next;
      try {
        results[index] = await map(item, index);
      } catch (error) {
        pending.length = 0;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
}

/** Makes a runner for calls, of which at most `limit` are pending at once; the others wait in order. */
export function callsBounded(limit: number): <Result>(call: () => Promise<Result>) => Promise<Result> {
  const waiting: (() => void)[] = [];
  let free = limit;
  return async (call) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await call();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
}
