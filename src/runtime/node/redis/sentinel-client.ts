import { createSentinel, RESP_TYPES } from '@redis/client';
import type { RedisAddress } from '../../../config/redis-address.ts';
import { connectionOptions, type RedisClient, type RedisEvents, socketOptions } from './client.ts';
import { createReplacedClient } from './replaced-client.ts';

/** Deadline for connecting to one Sentinel: while one of them is away, commands wait for the next one. */
const sentinelConnectMs = 1_000;

/**
 * A client of the master that Sentinels name. The Sentinels tell it of another master, and it asks them when the
 * connection to the master breaks.
 */
export function createSentinelClient(
  { nodes, tls, master, database, login, sentinelLogin }: RedisAddress & { readonly topology: 'sentinel' },
  events: RedisEvents,
): RedisClient {
  const security = tls ? ({ tls: true } as const) : {};
  const make = (note: (error: unknown) => void) => {
    const sentinel = createSentinel({
      name: master,
      sentinelRootNodes: nodes.map((node) => ({ ...node })),
      RESP: 2,
      commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
      // A command waits for one search for the master at most, and fails then.
      maxCommandRediscovers: 1,
      passthroughClientErrorEvents: true,
      nodeClientOptions: {
        ...connectionOptions,
        ...login,
        database,
        socket: { ...socketOptions, ...security, reconnectStrategy: false },
      },
      sentinelClientOptions: {
        ...connectionOptions,
        ...sentinelLogin,
        socket: { ...socketOptions, ...security, connectTimeout: sentinelConnectMs },
      },
    });
    // The client emits the errors of all connections, and one Sentinel may be away without harm.
    sentinel.on('error', (error: unknown) => {
      note(error);
      if (sentinel.isReady && sentinel.getMasterNode() === undefined) events.onError(error);
    });
    return sentinel.on('ready', events.onReady);
  };
  return createReplacedClient(make, false, events.onError);
}
