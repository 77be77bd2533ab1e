import { createCluster, RESP_TYPES } from '@redis/client';
import type { RedisAddress, RedisNode } from '../../../config/redis-address.ts';
import { connectionOptions, type RedisClient, type RedisEvents, socketOptions } from './client.ts';
import { createReplacedClient } from './replaced-client.ts';

/** A client of the masters of a cluster. One master without a connection counts as an error of all. */
export function createClusterClient(
  { nodes, tls, login }: RedisAddress & { readonly topology: 'cluster' },
  events: RedisEvents,
): RedisClient {
  /** The masters that the last client knew: the nodes of the address may be away. */
  let known = (): readonly RedisNode[] => [];
  const make = (note: (error: unknown) => void) => {
    const cluster = createCluster({
      rootNodes: [...nodes, ...known()].map((node) => ({ socket: { ...node } })),
      RESP: 2,
      commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
      defaults: {
        ...connectionOptions,
        ...login,
        socket: { ...socketOptions, ...(tls ? { tls: true } : {}), reconnectStrategy: false },
      },
    });
    known = () => [...cluster.nodeByAddress.values()].map(({ host, port }) => ({ host, port }));
    cluster.on('error', note);
    return cluster.on('node-error', events.onError).on('connect', events.onReady);
  };
  return createReplacedClient(make, true, events.onError);
}
