import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Costs on Node: their names in RESULTS.md. A request has a connection of its own, as old Dockers open one for each.
 * Names that end in Ms are milliseconds of CPU of all threads of the process.
 */
export const nodeCostNames = {
  referenceMs: 'the reference: a request to a bare Node server',
  idleMsPerSecond: 'a second without requests',
  pingMs: 'ping of `/v2/`, which the registry answers',
  rememberedMs: 'remembered manifest, fresh',
  rememberedSilentMs: 'the same without a line of log',
  revalidatedMs: 'remembered manifest at the end of its TTL: one HEAD',
  askedEachTimeMs: 'the same with `REGSHIFT_TAG_TTL=0`',
  coldSchema2Ms: 'first request for an image, OCI → schema 2',
  coldSchema1Ms: 'the same, OCI → signed schema 1',
  sharedMs: 'first request to a replica for an image that another one converted',
  configMs: 'config passed through',
  layerMs: 'layer passed through, whatever its size',
  layerMsPerGiB: 'a GiB of layers passed through',
  redisBytesPerImage: 'Redis, for each image',
  cacheBytesPerImage: '`REGSHIFT_CACHE_BYTES`, for each image',
  memoryBytesPerImage: 'tables of a replica, for each image',
  memoryBytes: 'memory of a replica without images',
} as const;

export type NodeCosts = Readonly<Record<keyof typeof nodeCostNames, number>>;

/** Costs of the Worker: their names in RESULTS.md, all in milliseconds of CPU. */
const workerCostNames = {
  firstOfIsolateMs: 'first manifest that a new isolate converts',
  coldMs: 'manifest converted to signed schema 1, the first time',
  rememberedMs: 'the same, remembered',
  layer20MiBMs: 'layer of 20 MiB passed through',
} as const;

export type WorkerCosts = Readonly<Record<keyof typeof workerCostNames, number>>;

/** The page with all measured figures, where the formulae find theirs. */
export function readResults(): string {
  return readFileSync(join(import.meta.dirname, '../RESULTS.md'), 'utf8');
}

/** @throws Error for a cost that the page does not have. */
export function nodeCosts(results: string): NodeCosts {
  return costsIn(results, '| cost on Node |', nodeCostNames);
}

/** @throws Error for a cost that the page does not have. */
export function workerCosts(results: string): WorkerCosts {
  return costsIn(results, '| on workerd |', workerCostNames);
}

/** The rows of the table in RESULTS.md. */
export function nodeCostRows(costs: NodeCosts): string[] {
  const unitOf = (key: string) => (key.startsWith('memory') || key.includes('Bytes') ? 'bytes' : 'ms of CPU');
  const digits = (value: number) => (value >= 100 ? Math.round(value) : Number(value.toPrecision(3)));
  return Object.entries(nodeCostNames).map(
    ([key, name]) => `| ${name} | ${digits(costs[key as keyof NodeCosts])} | ${unitOf(key)} |`,
  );
}

/** Reads the second cell of the rows of one table: the rows follow its head up to an empty line. */
function costsIn<Key extends string>(
  page: string,
  head: string,
  names: Readonly<Record<Key, string>>,
): Record<Key, number> {
  const [, after = ''] = page.split(`\n${head}`);
  const rows = after.split('\n\n', 1)[0]?.split('\n') ?? [];
  const cells = rows.map((row) => row.split('|').map((cell) => cell.trim()));
  const figures = new Map(cells.map(([, name = '', figure = '']) => [name, Number.parseFloat(figure)]));
  const found = (Object.entries(names) as [Key, string][]).map(([key, name]) => {
    const figure = figures.get(name);
    if (figure === undefined || Number.isNaN(figure))
      throw new Error(`RESULTS.md has no figure for "${name}" in the table "${head}"`);
    return [key, figure] as const;
  });
  return Object.fromEntries(found) as Record<Key, number>;
}
