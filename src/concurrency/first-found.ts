/**
 * Runs `find` for the items in batches of `limit`, and returns the first result in the order of the items. No batch
 * starts after a batch with a result. The first error ends the search.
 * @returns `undefined` if no item has a result.
 */
export async function firstFound<Item, Result>(
  items: readonly Item[],
  limit: number,
  find: (item: Item) => Promise<Result | undefined>,
): Promise<Result | undefined> {
  for (let start = 0; start < items.length; start += limit) {
    const results = await Promise.all(items.slice(start, start + limit).map(find));
    const found = results.find((result) => result !== undefined);
    if (found !== undefined) return found;
  }
  return undefined;
}
