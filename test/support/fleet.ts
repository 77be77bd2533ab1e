import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Facts, Level } from '../../src/observability/log.ts';
import { type Daemon, freePort, startDaemon } from './daemon.ts';
import { startProxy } from './proxy.ts';
import { type RawResponse, rawRequest } from './raw-http.ts';
import { testSigningKey } from './signing-key.ts';

export interface Logged {
  readonly level: Level;
  readonly message: string;
  readonly facts?: Facts | undefined;
}

/** One of several replicas that share a Redis. */
export interface Replica {
  readonly port: number;
  readonly logged: readonly Logged[];
  /** Its log messages about Redis, in order. */
  ofRedis(): string[];
  get(path: string, headers?: readonly (readonly [string, string])[]): Promise<RawResponse>;
  stop(): Promise<void>;
}

const told = ['Redis is away: going on without it', 'Redis is back'];

export async function startReplica(
  upstream: string,
  redis: string,
  variables: Record<string, string> = {},
): Promise<Replica> {
  const logged: Logged[] = [];
  const { port, stop } = await startProxy(
    upstream,
    { REGSHIFT_REDIS_URL: redis, ...variables },
    (level, message, facts) => logged.push({ level, message, facts }),
  );
  return {
    port,
    logged,
    ofRedis: () => logged.map(({ message }) => message).filter((message) => told.includes(message)),
    get: (path, headers = []) => rawRequest({ port, method: 'GET', path, headers }),
    stop,
  };
}

export type ReplicaProcess = Daemon & Pick<Replica, 'get'>;

/** Starts a replica as a process of its own: Node reads NODE_EXTRA_CA_CERTS only at its start. */
export async function startReplicaProcess(
  upstream: string,
  redis: string,
  variables: Record<string, string>,
): Promise<ReplicaProcess> {
  const port = await freePort();
  const set = {
    PORT: String(port),
    REGSHIFT_UPSTREAM: upstream,
    REGSHIFT_REDIS_URL: redis,
    REGSHIFT_SIGNING_KEY: JSON.stringify(testSigningKey),
    ...variables,
  };
  const daemon = await startDaemon({
    program: 'env',
    args: [...Object.entries(set).map((each) => each.join('=')), process.execPath, 'src/cli.ts', 'serve'],
    directory: await mkdtemp(join(tmpdir(), 'regshift-replica-')),
    isReady: async () => (await fetch(`http://127.0.0.1:${port}/healthz`)).ok,
  });
  return { ...daemon, get: (path, headers = []) => rawRequest({ port, method: 'GET', path, headers }) };
}
