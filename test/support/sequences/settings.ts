import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc, { type Arbitrary } from 'fast-check';
import { type DockerRegistry, startDockerRegistry } from '../docker-registry.ts';
import { type RunningProxy, startProxy } from '../proxy.ts';
import { type RedisServer, startRedisServer } from '../redis-server.ts';

/** The settings of one sequence: of the proxy, and of both registries. */
export interface SequenceSettings {
  readonly pushFormat: 'asis' | 'auto' | 'oci' | 'schema2';
  readonly store: 'none' | 'made' | 'all';
  readonly ttl: '0' | '3600';
  readonly replicas: 1 | 2;
  readonly redis: boolean;
  /** Whether the proxy serves the registry below a path. */
  readonly byPath: boolean;
  /** Whether the registries take schema 1. */
  readonly schema1: boolean;
  /** Whether each read of the proxy is followed by one of the other method, GET or HEAD. */
  readonly twins: boolean;
}

/** The plain settings are first, so that a shrunk sequence has them. */
export const anySettings: Arbitrary<SequenceSettings> = fc.record({
  pushFormat: fc.constantFrom('asis', 'auto', 'oci', 'schema2'),
  store: fc.constantFrom('none', 'made', 'all'),
  ttl: fc.constantFrom('0', '3600'),
  replicas: fc.constantFrom(1, 2),
  redis: fc.boolean(),
  byPath: fc.boolean(),
  schema1: fc.boolean(),
  twins: fc.boolean(),
});

/** Two equal registries for each of their settings, and a Redis. They serve all sequences of a run. */
export interface Peers {
  registries(
    schema1: boolean,
  ): Promise<{ readonly straight: DockerRegistry; readonly behind: DockerRegistry }>;
  /** Stops registries that no longer have the same content. */
  discard(schema1: boolean): Promise<void>;
  redis(): Promise<RedisServer>;
  stop(): Promise<void>;
}

/** docker-registry syncs each write, which takes a disk ten times as long as memory. */
const fastDirectory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

export function createPeers(): Peers {
  const pairs = new Map<boolean, Promise<{ straight: DockerRegistry; behind: DockerRegistry }>>();
  const directories: string[] = [];
  let redis: Promise<RedisServer> | undefined;
  const start = async (schema1Enabled: boolean) => {
    const [straight, behind] = await Promise.all(
      [0, 1].map(async () => {
        const storage = await mkdtemp(join(fastDirectory, 'regshift-sequence-'));
        directories.push(storage);
        return startDockerRegistry({ schema1Enabled, deleteEnabled: true, storage });
      }),
    );
    if (straight === undefined || behind === undefined) throw new Error('a registry is missing');
    return { straight, behind };
  };
  return {
    registries(schema1) {
      const pair = pairs.get(schema1) ?? start(schema1);
      pairs.set(schema1, pair);
      return pair;
    },
    async discard(schema1) {
      const pair = await pairs.get(schema1);
      pairs.delete(schema1);
      await pair?.straight.stop();
      await pair?.behind.stop();
    },
    redis() {
      redis ??= startRedisServer();
      return redis;
    },
    async stop() {
      for (const { straight, behind } of await Promise.all(pairs.values())) {
        await straight.stop();
        await behind.stop();
      }
      await (await redis)?.stop();
      for (const each of directories) await rm(each, { recursive: true, force: true });
    },
  };
}

export interface RunningProxies {
  readonly ports: readonly number[];
  stop(): Promise<void>;
}

/** The path of a route that serves the registry below a path. */
export const routePath = 'mirror';

/** Starts the proxies of one sequence, with empty memories. */
export async function startProxies(
  settings: SequenceSettings,
  upstream: string,
  peers: Peers,
): Promise<RunningProxies> {
  const directory = await mkdtemp(join(tmpdir(), 'regshift-sequence-'));
  const variables: Record<string, string> = {
    REGSHIFT_PUSH_FORMAT: settings.pushFormat,
    REGSHIFT_TAG_TTL: settings.ttl,
  };
  if (settings.redis) variables.REGSHIFT_REDIS_URL = (await peers.redis()).url;
  if (settings.store !== 'none') {
    variables.REGSHIFT_STORE = `file://${join(directory, 'store')}`;
    variables.REGSHIFT_STORE_BLOBS = settings.store;
  }
  if (settings.byPath) {
    variables.REGSHIFT_CONFIG = join(directory, 'regshift.json');
    await writeFile(
      variables.REGSHIFT_CONFIG,
      JSON.stringify({ routes: [{ upstream, match: { path: routePath } }] }),
    );
  }
  const proxies: RunningProxy[] = [];
  const stop = async () => {
    for (const proxy of proxies) await proxy.stop();
    // A layer that is still written to the store is not waited for.
    await rm(directory, { recursive: true, force: true, maxRetries: 20 });
  };
  try {
    for (let at = 0; at < settings.replicas; at += 1) proxies.push(await startProxy(upstream, variables));
  } catch (error) {
    await stop();
    throw error;
  }
  return { ports: proxies.map(({ port }) => port), stop };
}
