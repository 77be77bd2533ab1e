import { allParts, type TableName, tableShares } from '../../../src/cache/table-shares.ts';
import { memoryOf } from '../../support/bare-workerd.ts';
import { freePort } from '../../support/daemon.ts';
import { startNodeProcess } from '../../support/node-process.ts';
import { cpuTime } from '../measure.ts';

/** A replica of a site: a real process with a log line for each request, and with metrics. */
export interface SiteReplica {
  readonly port: number;
  /** Milliseconds of CPU since the start, of all threads. */
  cpuMs(): number;
  residentBytes(): number;
  /**
   * The tables that remember content: their bytes, as the process counts them, and the `REGSHIFT_CACHE_BYTES` in which
   * all of them have the room for that.
   */
  tables(): Promise<{ readonly bytes: number; readonly budgetBytes: number }>;
  stop(): Promise<void>;
}

/** A budget that the images of a measurement do not fill. */
export const roomyCacheBytes = 1_073_741_824;

/** Tables that are full all the time without harm: their entries are short-lived, or made again by one command. */
const notSized: readonly TableName[] = ['recent-tags', 'redis', 'searches', 'layer-tails', 'read-access'];

export async function startSiteReplica(variables: Readonly<Record<string, string>>): Promise<SiteReplica> {
  const metricsPort = await freePort();
  const { port, pid, stop } = await startNodeProcess({
    LOG_LEVEL: 'info',
    REGSHIFT_CACHE_BYTES: String(roomyCacheBytes),
    REGSHIFT_METRICS_PORT: String(metricsPort),
    ...variables,
  });
  return {
    port,
    stop,
    cpuMs: () => cpuTime(pid),
    residentBytes: () => memoryOf(pid) * 1024 * 1024,
    tables: async () => {
      const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
      const lines = text.matchAll(/^regshift_memory_table_bytes\{table="(\S+)"\} (\d+)$/gm);
      const sizes = [...lines].map(([, name, bytes]) => ({ name: name as TableName, bytes: Number(bytes) }));
      const needs = sizes
        .filter(({ name }) => !notSized.includes(name))
        .map(({ name, bytes }) => (bytes * allParts) / tableShares[name].parts);
      return {
        bytes: sizes.reduce((sum, { bytes }) => sum + bytes, 0),
        budgetBytes: Math.max(...needs),
      };
    },
  };
}
