import type { Facts, Level } from '../../src/observability/log.ts';
import { startProxy } from './proxy.ts';
import { type RawResponse, rawRequest } from './raw-http.ts';

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
