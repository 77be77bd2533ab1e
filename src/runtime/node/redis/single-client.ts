import { createClient, RESP_TYPES } from '@redis/client';
import { connectionOptions, type RedisClient, type RedisEvents, socketOptions } from './client.ts';

/** A client of one Redis. It reconnects by itself. */
export function createSingleClient(url: URL, events: RedisEvents): RedisClient {
  const client = createClient({
    ...connectionOptions,
    url: url.href,
    socket: {
      ...socketOptions,
      // Replicas do not reconnect all at once.
      reconnectStrategy: (retries) => Math.min(100 * 2 ** Math.min(retries, 5), 2_000) + Math.random() * 200,
    },
  }).withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  client.on('error', events.onError);
  client.on('ready', events.onReady);
  return {
    commands: client,
    isSharded: false,
    lastError: () => undefined,
    // The promise rejects only after `close`; the listener reports errors.
    connect: () => void client.connect().catch(() => undefined),
    revive: () => undefined,
    close: () => client.close(),
    destroy: () => client.destroy(),
  };
}
