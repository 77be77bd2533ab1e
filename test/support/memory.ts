import { createMemoryBudget, type MemoryBudget, type MemoryTable } from '../../src/cache/memory-budget.ts';
import { allParts, type TableName, tableShares } from '../../src/cache/table-shares.ts';

/** A memory budget as large as that of a process on Node. */
export function testMemory(): MemoryBudget {
  return createMemoryBudget(67_108_864);
}

/** A memory budget whose table of this name has so many bytes; more than it has in any case. */
export function memoryWith(name: TableName, bytes: number): MemoryBudget {
  return createMemoryBudget(Math.ceil((bytes * allParts) / tableShares[name].parts));
}

/** A memory budget that can forget, as if other entries had taken the place of the old ones. */
export function forgetfulMemory(): MemoryBudget & { readonly forget: (names: readonly TableName[]) => void } {
  const budget = testMemory();
  const tables: [TableName, Pick<MemoryTable<never>, 'clear'>][] = [];
  return {
    usage: budget.usage,
    table(name, measure, removed) {
      const table = budget.table(name, measure, removed);
      tables.push([name, table]);
      return table;
    },
    /** Clears the tables of these names. */
    forget(names) {
      for (const [name, table] of tables) if (names.includes(name)) table.clear();
    },
  };
}
