import { LRUCache } from 'lru-cache';
import { bytesOfText, bytesOfValue, ownText, tableEntryBytes } from './memory-bytes.ts';
import { allParts, type TableName, tableNames, tableShares } from './table-shares.ts';

/** A table in memory. An entry can disappear at any time: the entries used longest ago go first. */
export interface MemoryTable<Value extends {}> {
  /** Reads an entry, and counts this as a use. */
  get(key: string): Value | undefined;
  /** Reads an entry without counting it as a use. */
  peek(key: string): Value | undefined;
  has(key: string): boolean;
  /**
   * Remembers a value, which must not change afterwards. An entry of more than half of the table's bytes is not
   * remembered, and the earlier one of its key is forgotten.
   */
  set(key: string, value: Value): void;
  delete(key: string): void;
  clear(): void;
}

/** The memory that the tables of one name take, and may take, in bytes. */
export interface TableUsage {
  readonly table: TableName;
  readonly bytes: number;
  readonly limit: number;
}

/**
 * The memory of the process for all that it remembers from one request to another. Each table is made here, so that
 * all of them together never take more than REGSHIFT_CACHE_BYTES and `leastBytes`, whatever clients and registries send.
 */
export interface MemoryBudget {
  /**
   * Creates a table. Tables with the same name, like those of several routes, share the bytes of the name: when these
   * are used up, the table that takes most of them loses an entry, so that no route takes the share of another.
   * @param measure bytes of a value, for values with closures; by default `bytesOfValue`. Keys count besides.
   * @param removed called for each value that goes, unless a new one replaces it.
   */
  table<Value extends {}>(
    name: TableName,
    measure?: (value: Value) => number,
    removed?: (value: Value) => void,
  ): MemoryTable<Value>;
  usage(): readonly TableUsage[];
}

/**
 * @param bytes REGSHIFT_CACHE_BYTES.
 * @param unused tables that the process does not have: their parts go to `content`.
 */
export function createMemoryBudget(bytes: number, unused: readonly TableName[] = []): MemoryBudget {
  const free = unused.reduce((sum, name) => sum + tableShares[name].parts, 0);
  const limitOf = (name: TableName) => {
    const { parts, least } = tableShares[name];
    if (unused.includes(name)) return least;
    const own = name === 'content' ? parts + free : parts;
    return Math.max(least, Math.floor((bytes / allParts) * own));
  };
  const pools = new Map(tableNames.map((name) => [name, createPool(limitOf(name))]));
  return {
    table(name, measure = bytesOfValue, removed = () => undefined) {
      const pool = pools.get(name);
      if (pool === undefined) throw new TypeError(`there is no share for ${name}`);
      return pool.table(measure, removed);
    },
    usage: () => [...pools].map(([table, { bytes, limit }]) => ({ table, bytes: bytes(), limit })),
  };
}

/** The tables that share the bytes of one name. */
interface Pool extends Pick<TableUsage, 'limit'> {
  readonly bytes: () => number;
  table<Value extends {}>(
    measure: (value: Value) => number,
    removed: (value: Value) => void,
  ): MemoryTable<Value>;
}

interface Member {
  readonly calculatedSize: number;
  /** Removes the entry used longest ago. */
  pop(): unknown;
}

function createPool(limit: number): Pool {
  const members: Member[] = [];
  let used = 0;

  function makeRoom(): void {
    while (used > limit) {
      const largest = members.reduce((one, other) =>
        other.calculatedSize > one.calculatedSize ? other : one,
      );
      const before = largest.calculatedSize;
      largest.pop();
      used += largest.calculatedSize - before;
    }
  }

  return {
    limit,
    bytes: () => used,
    table<Value extends {}>(
      measure: (value: Value) => number,
      removed: (value: Value) => void,
    ): MemoryTable<Value> {
      // Without `max`, lru-cache allocates memory as its contents grow; a table of 0 bytes has no room for an entry.
      const entries = new LRUCache<string, Value>({
        maxSize: Math.max(1, limit),
        maxEntrySize: Math.max(1, Math.floor(limit / 2)),
        sizeCalculation: (value, key) => tableEntryBytes + bytesOfText(key) + measure(value),
        dispose: (value) => removed(value),
        // A replaced value is not disposed of; one whose successor is too large goes, and is.
        noDisposeOnSet: true,
      });
      members.push(entries);
      const counting = (change: () => void) => {
        const before = entries.calculatedSize;
        change();
        used += entries.calculatedSize - before;
        makeRoom();
      };
      return {
        get: (key) => entries.get(key),
        peek: (key) => entries.peek(key),
        has: (key) => entries.has(key),
        set: (key, value) => counting(() => entries.set(ownText(key), value)),
        delete: (key) => counting(() => entries.delete(key)),
        clear: () => counting(() => entries.clear()),
      };
    },
  };
}
