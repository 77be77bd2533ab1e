import { createClient } from '@redis/client';
import { startRedisServer } from '../../support/redis-server.ts';

export interface MeasuredRedis {
  readonly url: string;
  /** `used_memory`: what Redis has taken for entries, connections and itself. */
  usedBytes(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts a real redis-server, and a connection that reads its figures. */
export async function startMeasuredRedis(): Promise<MeasuredRedis> {
  const server = await startRedisServer();
  const client = createClient({ url: server.url, RESP: 2 });
  await client.connect();
  return {
    url: server.url,
    usedBytes: async () => Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1]),
    stop: async () => {
      await client.close();
      await server.stop();
    },
  };
}
