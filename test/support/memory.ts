import { createMemoryBudget, type MemoryBudget } from '../../src/cache/memory-budget.ts';
import { allParts, type TableName, tableShares } from '../../src/cache/table-shares.ts';

/** A memory budget as large as that of a process on Node. */
export function testMemory(): MemoryBudget {
  return createMemoryBudget(67_108_864);
}

/** A memory budget whose table of this name has so many bytes; more than it has in any case. */
export function memoryWith(name: TableName, bytes: number): MemoryBudget {
  return createMemoryBudget(Math.ceil((bytes * allParts) / tableShares[name].parts));
}
