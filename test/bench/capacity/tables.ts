import type { NodeCosts, WorkerCosts } from './costs.ts';
import { capacityOf } from './formulae.ts';
import type { Site } from './site.ts';
import { type WorkersMonth, workersMonth } from './workers.ts';

const MiB = 2 ** 20;

/** Writes two digits of a figure and no more: the formulae are right to a fifth. */
export function rounded(value: number): string {
  return Number(value.toPrecision(2)).toLocaleString('en', { maximumFractionDigits: 4 });
}

/** The rows of a table in Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** A site on Node, with replicas that share a Redis. */
export function nodeTable(site: Site, costs: NodeCosts): string {
  const { pulls, manifests, registry, ...need } = capacityOf(site, costs);
  const perDay = (value: number) => `${rounded(value)} a day`;
  const rows: [string, string][] = [
    ['pulls', perDay(pulls)],
    ['manifests from memory, without a request to the registry', perDay(manifests.remembered)],
    ['manifests from memory, after a `HEAD`', perDay(manifests.revalidated)],
    ['first conversions', perDay(manifests.cold)],
    ['conversions that a replica got from Redis', perDay(manifests.shared)],
    ['pings at the registry', perDay(registry.pings)],
    [
      '`HEAD`s of manifests at the registry',
      `${perDay(registry.manifestHeads)}, ${rounded(need.headsPerPull)} for each pull`,
    ],
    ['`GET`s of manifests at the registry', perDay(registry.manifestGets)],
    [
      'configs and layers at the registry',
      `${perDay(registry.blobGets)}, ${rounded(need.downloadedGiB)} GiB`,
    ],
    [
      'pulls that Docker Hub would count',
      `${perDay(registry.countedPulls)}; ${rounded(registry.countedPullsOfIndexes)} if all images are in indexes`,
    ],
    ['CPU of all replicas', `${rounded(need.cpuSeconds / 3600)} hours a day`],
    ['processors in the busiest hour', rounded(need.coresInPeakHour)],
    ['processors during a deployment', rounded(need.coresInDeployment)],
    ['`REGSHIFT_CACHE_BYTES` that holds all images', `${rounded(need.cacheBytes / MiB)} MiB`],
    ['memory of each replica, with that', `${rounded(need.replicaBytes / MiB)} MiB`],
    ['memory of Redis for entries', `${rounded(need.redisBytes / MiB)} MiB`],
  ];
  return table(['what', 'how much'], rows);
}

/** The requests to the registry, and the CPU, at several values of `REGSHIFT_TAG_TTL`. */
export function ttlTable(site: Site, costs: NodeCosts, ttls: readonly number[]): string {
  const rows = ttls.map((ttlSeconds) => {
    const { headsPerPull, registry, cpuSeconds } = capacityOf({ ...site, ttlSeconds }, costs);
    return [
      String(ttlSeconds),
      headsPerPull.toFixed(2),
      rounded(registry.manifestHeads),
      `${rounded(cpuSeconds / 3600)} hours`,
    ];
  });
  return table(['`REGSHIFT_TAG_TTL`', '`HEAD`s for each pull', '`HEAD`s a day', 'CPU a day'], rows);
}

/** A month on Workers, with what it costs; a column for each site. */
export function workersTable(
  sites: readonly { readonly name: string; readonly site: Site }[],
  costs: WorkerCosts,
  newIsolatesPerDay: number,
): string {
  const months = sites.map(({ site }) => workersMonth(site, costs, newIsolatesPerDay));
  const million = (value: number) => `${rounded(value / 1e6)} million`;
  const row = (name: string, cell: (month: WorkersMonth) => string) => [name, ...months.map(cell)];
  const priced = (name: string, key: 'requests' | 'cpuMs' | 'kvReads' | 'kvWrites', unit = '') =>
    row(name, (month) => `${million(month[key])}${unit}: ${month.usd[key].toFixed(2)} USD`);
  return table(
    ['a month', ...sites.map(({ name }) => name)],
    [
      priced('requests', 'requests'),
      priced('CPU', 'cpuMs', ' ms'),
      priced('reads of KV', 'kvReads'),
      priced('writes of KV', 'kvWrites'),
      row('requests to the registry, not billed', (month) => million(month.subrequests)),
      row('the plan', ({ usd }) => `${usd.plan.toFixed(2)} USD`),
      row('**together**', ({ usd }) => `**${Math.round(usd.all).toLocaleString('en')} USD**`),
    ],
  );
}
