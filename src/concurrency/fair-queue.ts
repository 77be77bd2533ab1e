/** An item in line. */
export interface QueueEntry {
  /** Takes the item out of the line; false if it is no longer there. */
  leave(): boolean;
}

/**
 * A line that serves its owners in turn, whatever the number of items of each. An owner is a path, like
 * `[route, repository, address]`: routes take turns, then the repositories of a route, then the addresses in each.
 */
export interface FairQueue<Item> {
  /** The number of items in line. */
  readonly size: number;
  /** @param owner of the same length for every item of the queue. */
  push(owner: readonly string[], item: Item): QueueEntry;
  /**
   * Takes out the next item. The first item of an owner that is turned down is passed over together with the rest of
   * that owner's items, so that an owner's items keep their order.
   * @param fits tells whether the item can be served now; absent: every item can.
   */
  shift(fits?: (item: Item, owner: readonly string[]) => boolean): Item | undefined;
  /** Whether an item is in line that `matches` accepts. Looks at the first item of each owner only. */
  some(matches: (item: Item, owner: readonly string[]) => boolean): boolean;
}

interface Waiting<Item> {
  readonly owner: readonly string[];
  readonly item: Item;
}

/** Owners in the order in which they are served next; a Map keeps the order of insertion. */
interface Branch<Item> {
  readonly branches: Map<string, Branch<Item>>;
  /** Of an owner, which is the end of a path. */
  readonly waiting: Set<Waiting<Item>>;
}

export function createFairQueue<Item>(): FairQueue<Item> {
  const root = newBranch<Item>();
  let size = 0;

  function push(owner: readonly string[], item: Item): QueueEntry {
    let branch = root;
    for (const name of owner) {
      const next = branch.branches.get(name) ?? newBranch<Item>();
      branch.branches.set(name, next);
      branch = next;
    }
    const waiting = { owner, item };
    branch.waiting.add(waiting);
    size += 1;
    return { leave: () => take(waiting, false) };
  }

  /** @param served moves the owner, and each part of its path, behind the others. */
  function take(waiting: Waiting<Item>, served: boolean): boolean {
    const path: { readonly parent: Branch<Item>; readonly name: string; readonly branch: Branch<Item> }[] =
      [];
    let branch = root;
    for (const name of waiting.owner) {
      const next = branch.branches.get(name);
      if (next === undefined) return false;
      path.push({ parent: branch, name, branch: next });
      branch = next;
    }
    if (!branch.waiting.delete(waiting)) return false;
    size -= 1;
    for (const { parent, name, branch: own } of path.reverse()) {
      const isEmpty = own.branches.size === 0 && own.waiting.size === 0;
      if (isEmpty || served) parent.branches.delete(name);
      if (!isEmpty && served) parent.branches.set(name, own);
    }
    return true;
  }

  function find(
    branch: Branch<Item>,
    fits: (item: Item, owner: readonly string[]) => boolean,
  ): Waiting<Item> | undefined {
    const [first] = branch.waiting;
    if (first && fits(first.item, first.owner)) return first;
    for (const each of branch.branches.values()) {
      const found = find(each, fits);
      if (found) return found;
    }
    return undefined;
  }

  return {
    get size() {
      return size;
    },
    push,
    shift(fits = () => true) {
      const found = find(root, fits);
      if (found) take(found, true);
      return found?.item;
    },
    some: (matches) => find(root, matches) !== undefined,
  };
}

function newBranch<Item>(): Branch<Item> {
  return { branches: new Map(), waiting: new Set() };
}
