import { isIP } from 'node:net';
import {
  createClient,
  createCluster,
  createSentinel,
  DisconnectsClientError,
  RESP_TYPES,
} from '@redis/client';
import { bareHost } from '../../../bare-host.ts';
import type { RedisAddress, RedisNode } from '../../../config/redis-address.ts';
import { connectionOptions, type RedisClient, type RedisEvents, socketOptions } from './client.ts';
import { createReplacedClient } from './replaced-client.ts';

/** Makes the client of an address, without connecting it. */
export function createRedisClient(address: RedisAddress, events: RedisEvents): RedisClient {
  switch (address.topology) {
    case 'single':
      return createSingleClient(address.url, events);
    case 'sentinel':
      return createSentinelClient(address, events);
    case 'cluster':
      return createClusterClient(address, events);
  }
}

/** A client of one Redis. Probes connect it anew. */
function createSingleClient(url: URL, events: RedisEvents): RedisClient {
  const client = createClient({
    ...connectionOptions,
    url: url.href,
    // The library would make a connection that was ready anew without a delay: a server that breaks each connection, like
    // one with `maxclients` or in protected mode, would get thousands in a second.
    socket: {
      ...socketOptions,
      ...(url.protocol === 'rediss:' ? tlsOf(bareHost(url)) : {}),
      reconnectStrategy: false,
    },
  }).withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  client.on('error', (error: unknown) => {
    // `renew` ends a connection while the ping of the client may be under way.
    if (!(error instanceof DisconnectsClientError)) events.onError(error);
  });
  client.on('ready', events.onReady);
  // The listener reports errors.
  const connect = () => void client.connect().catch(() => undefined);
  return {
    commands: client,
    isSharded: false,
    lastError: () => undefined,
    connect,
    async reconnect() {
      if (!client.isOpen) await client.connect();
    },
    revive: () => undefined,
    renew() {
      // The last responses come while the client closes.
      if (!client.isOpen) return;
      client.destroy();
      connect();
    },
    close: () => client.close(),
    destroy: () => client.destroy(),
  };
}

/** A front of several servers selects one by the name in the hello of TLS (RFC 6066, section 3). The library sends none. */
function tlsOf(host: string): { readonly tls: true; readonly servername?: string } {
  return { tls: true, ...(isIP(host) === 0 ? { servername: host } : {}) };
}

/** Deadline for connecting to one Sentinel: while one of them is away, commands wait for the next one. */
const sentinelConnectMs = 1_000;

/**
 * A client of the master that Sentinels name. The Sentinels tell it of another master, and it asks them when the
 * connection to the master breaks.
 */
function createSentinelClient(
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

/** A client of the masters of a cluster. One master without a connection counts as an error of all. */
function createClusterClient(
  { nodes, tls, login }: RedisAddress & { readonly topology: 'cluster' },
  events: RedisEvents,
): RedisClient {
  const reached = (node: RedisNode) => ({ ...node, ...(tls ? tlsOf(node.host) : {}) });
  /** The masters that the last client knew: the nodes of the address may be away. */
  let known = (): readonly string[] => [];
  const make = (note: (error: unknown) => void) => {
    const cluster = createCluster({
      rootNodes: [...nodes, ...known().map((each) => nodeOf(each, nodes))].map((node) => ({
        socket: reached(node),
      })),
      nodeAddressMap: (address) => reached(nodeOf(address, nodes)),
      RESP: 2,
      commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
      defaults: {
        ...connectionOptions,
        ...login,
        socket: { ...socketOptions, ...(tls ? { tls: true } : {}), reconnectStrategy: false },
      },
    });
    known = () => [...cluster.nodeByAddress.keys()];
    cluster.on('error', note);
    return cluster.on('node-error', events.onError).on('connect', events.onReady);
  };
  return createReplacedClient(make, true, events.onError);
}

/**
 * A node of a cluster. A node that does not tell its host, like the only one of a cluster, has the host that was asked
 * (Redis, CLUSTER SLOTS), and the library would connect to this machine.
 * @param address of the library, which writes `null` for such a host with `unknown-endpoint`.
 */
function nodeOf(address: string, [asked]: readonly RedisNode[]): RedisNode {
  const [, host = '', port] = /^(?:null(?=:)|(.*)):(\d+)$/.exec(address) ?? [];
  return { host: host || asked?.host || '', port: Number(port) };
}
