/**
 * Maps with at most `limit` promises under way; the results keep the order of the items. The first failure wins, and
 * nothing new is begun after it.
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

/** A runner that lets at most `limit` calls be under way; the others wait for their turn. */
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
