/**
 * What the first item in order gives that gives anything; no more than `limit` are asked at once, and none after the
 * bunch in which something was found. The first failure ends it.
 */
export async function firstFound<Item, Result>(
  items: readonly Item[],
  limit: number,
  ask: (item: Item) => Promise<Result | undefined>,
): Promise<Result | undefined> {
  for (let start = 0; start < items.length; start += limit) {
    const answers = await Promise.all(items.slice(start, start + limit).map(ask));
    const found = answers.find((answer) => answer !== undefined);
    if (found !== undefined) return found;
  }
  return undefined;
}
