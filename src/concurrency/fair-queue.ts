/** An item in the queue. */
export interface QueueEntry {
  /** Removes the item. @returns false if the item is no longer in the queue. */
  leave(): boolean;
}

/**
 * A queue that serves its owners in turn, whatever the number of items of each. An owner is a path, like
 * `[route, repository, address]`: routes take turns, then the repositories of a route, then the addresses of a
 * repository.
 */
export interface FairQueue<Item> {
  /** Number of items in the queue. */
  readonly size: number;
  /** @param owner path with the same length for every item of the queue. */
  push(owner: readonly string[], item: Item): QueueEntry;
  /**
   * Removes the next item and returns it. If the first item of an owner does not fit, the queue skips all items of that
   * owner, so that the items of an owner keep their order.
   * @param fits whether the item can be served now; without it, every item can.
   */
  shift(fits?: (item: Item, owner: readonly string[]) => boolean): Item | undefined;
  /** Whether `matches` accepts the first item of any owner. */
  some(matches: (item: Item, owner: readonly string[]) => boolean): boolean;
}

interface Waiting<Item> {
  readonly owner: readonly string[];
  readonly item: Item;
}

/** A node of the tree of owners. The map lists its branches in the order of service: a Map keeps insertion order. */
interface Branch<Item> {
  readonly branches: Map<string, Branch<Item>>;
  /** Items of the owner whose path ends at this node. */
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
    return { leave: () => remove(waiting, false) };
  }

  /** @param served whether to move the owner, and each part of its path, behind the others. */
  function remove(waiting: Waiting<Item>, served: boolean): boolean {
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
      if (found) remove(found, true);
      return found?.item;
    },
    some: (matches) => find(root, matches) !== undefined,
  };
}

function newBranch<Item>(): Branch<Item> {
  return { branches: new Map(), waiting: new Set() };
}
