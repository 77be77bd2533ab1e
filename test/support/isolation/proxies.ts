import { startBareWorkerd } from '../bare-workerd.ts';
import { startNodeProcess } from '../node-process.ts';
import { startRedisServer } from '../redis-server.ts';
import type { Upstream, World } from './world.ts';

export interface Proxies {
  readonly ports: readonly number[];
  /** All log output of the replicas. */
  output(): string;
  stop(): Promise<void>;
}

/** Lifetimes in seconds: short, so that a run of a minute sees many of them. */
export const lifetimes = { ttl: 1, stale: 4 } as const;

/** The settings: one route for each upstream, selected by host; the clients' own logins pass through. */
function variables({ upstreams }: World): Record<string, string> {
  const routes = upstreams.map(({ host, registry }: Upstream) => ({
    match: { host },
    upstream: registry.url,
  }));
  return {
    REGSHIFT_CONFIG: JSON.stringify({ routes }),
    REGSHIFT_TAG_TTL: String(lifetimes.ttl),
    REGSHIFT_STALE: String(lifetimes.stale),
    REGSHIFT_MEASURE_DEADLINE: '5',
    LOG_LEVEL: 'debug',
  };
}

export async function startNode(world: World): Promise<Proxies> {
  return startNodes(world, 1, {});
}

/** Starts two processes that share a Redis. */
export async function startFleet(world: World): Promise<Proxies> {
  const redis = await startRedisServer();
  const nodes = await startNodes(world, 2, { REGSHIFT_REDIS_URL: redis.url });
  const stop = async () => {
    await nodes.stop();
    await redis.stop();
  };
  return { ...nodes, stop };
}

async function startNodes(world: World, count: number, more: Record<string, string>): Promise<Proxies> {
  const texts: string[] = [];
  const nodes = await Promise.all(
    Array.from({ length: count }, () =>
      startNodeProcess({ ...variables(world), ...more }, 25, (text) => texts.push(text)),
    ),
  );
  const stop = async () => {
    for (const node of nodes) await node.stop();
  };
  return { ports: nodes.map(({ port }) => port), output: () => texts.join(''), stop };
}

export async function startWorker(world: World): Promise<Proxies> {
  const texts: string[] = [];
  const worker = await startBareWorkerd(variables(world), undefined, (text) => texts.push(text));
  return { ports: [worker.port], output: () => texts.join(''), stop: worker.stop };
}
