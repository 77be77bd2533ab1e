import { mkdtemp, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@redis/client';
import { type Daemon, freePort, startDaemon } from './daemon.ts';
import { runProgram } from './programs.ts';
import { type RedisServer, type RedisServerOptions, startRedisServer } from './redis-server.ts';

/** Several real programs that together are one Redis for REGSHIFT_REDIS_URL. */
export interface RedisTopology {
  readonly url: string;
  /** Ends a master by SIGKILL, and waits until another server is the master in its place. */
  failOver(): Promise<void>;
  /** Lets a master stand still for twenty seconds: it accepts connections, and answers nothing. */
  pause(): Promise<void>;
  stop(): Promise<void>;
}

export interface TopologyOptions {
  /** The certificate is its own authority. */
  readonly tls?: RedisServerOptions['tls'];
  /** Settings of each server that holds entries. */
  readonly settings?: readonly string[];
  /** The login in the address, if it is another user than the default one. */
  readonly login?: string;
  /** Rights of a user `watch` of the Sentinels, which the address then names. */
  readonly sentinelRights?: string;
}

export const dataPassword = 'of-data%:@/';
export const sentinelPassword = 'of-sentinel+&';
const masterName = 'my-master';
const host = '127.0.0.1';
const debug = ['--enable-debug-command', 'local'];

/** A master, a replica and three Sentinels that hold a master for dead after a second. */
export async function startSentinels({
  tls,
  settings = [],
  login,
  sentinelRights,
}: TopologyOptions = {}): Promise<RedisTopology> {
  const common = { password: dataPassword, ...(tls ? { tls } : {}) };
  const shared = ['--masterauth', dataPassword, '--repl-diskless-sync-delay', '0', ...debug, ...settings];
  const secured = tls ? ['--tls-replication', 'yes', '--tls-ca-cert-file', tls.certificate] : [];
  const master = await startRedisServer({ ...common, settings: [...shared, ...secured] });
  const replica = await startRedisServer({
    ...common,
    settings: [...shared, ...secured, '--replicaof', host, `${master.port}`],
  });
  await until(async () => (await info(replica)).includes('master_link_status:up'));
  const ports = await Promise.all([freePort(), freePort(), freePort()]);
  const sentinels = await Promise.all(
    ports.map((port) => startSentinel(port, master.port, tls, sentinelRights)),
  );
  // A failover needs Sentinels that know each other and the replica.
  for (const port of ports) {
    await until(async () => {
      const state = String(await askSentinel(port, tls, ['SENTINEL', 'MASTER', masterName]));
      return state.includes('num-other-sentinels,2') && state.includes('num-slaves,1');
    });
  }
  const credentials = login ?? `:${encodeURIComponent(dataPassword)}`;
  const query = `sentinelMasterId=${masterName}&sentinelPassword=${encodeURIComponent(sentinelPassword)}${sentinelRights === undefined ? '' : '&sentinelUsername=watch'}`;
  return {
    url: `redis${tls ? 's' : ''}-sentinel://${credentials}@${ports.map((port) => `${host}:${port}`)}/0?${query}`,
    async failOver() {
      await master.kill();
      await until(async () => (await info(replica)).includes('role:master'));
    },
    pause: () => pause(master),
    stop: async () => void (await Promise.all([...sentinels, replica, master].map((each) => each.stop()))),
  };
}

/** Three masters with a replica each; a master that is silent for a second is dead. */
export async function startCluster({
  tls,
  settings = [],
  login,
}: TopologyOptions = {}): Promise<RedisTopology> {
  const shared = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000', '--masterauth', dataPassword];
  const secured = tls
    ? ['--tls-replication', 'yes', '--tls-cluster', 'yes', '--tls-ca-cert-file', tls.certificate]
    : [];
  const options = {
    password: dataPassword,
    ...(tls ? { tls } : {}),
    settings: [...shared, ...secured, '--repl-diskless-sync-delay', '0', ...debug, ...settings],
  };
  const nodes: RedisServer[] = [];
  for (let count = 0; count < 6; count += 1)
    nodes.push(await startRedisServer({ ...options, port: await clusterPort() }));
  const addresses = nodes.map(({ port }) => `${host}:${port}`);
  const secure = tls ? ['--tls', '--cacert', tls.certificate] : [];
  await runProgram(
    'redis-cli',
    [
      ...secure,
      '-a',
      dataPassword,
      '--cluster',
      'create',
      ...addresses,
      '--cluster-replicas',
      '1',
      '--cluster-yes',
    ],
    tmpdir(),
  );
  for (const node of nodes) {
    await until(async () => {
      const isReady = (await clusterInfo(node)).includes('cluster_state:ok');
      const state = await info(node);
      return isReady && (state.includes('master_link_status:up') || state.includes('connected_slaves:1'));
    });
  }
  const [first, ...others] = nodes as [RedisServer, ...RedisServer[]];
  const credentials = login ?? `:${encodeURIComponent(dataPassword)}`;
  return {
    // The address has two of six nodes, and one of them fails.
    url: `redis${tls ? 's' : ''}-cluster://${credentials}@${addresses.slice(0, 2)}`,
    async failOver() {
      await first.kill();
      for (const node of others) {
        await until(async () => {
          const masters = (await clusterNodes(node)).filter((line) => /\bmaster - /.test(line));
          return masters.length === 3 && (await clusterInfo(node)).includes('cluster_state:ok');
        });
      }
    },
    pause: () => pause(first),
    stop: async () => void (await Promise.all(nodes.map((each) => each.stop()))),
  };
}

async function startSentinel(
  port: number,
  master: number,
  tls: TopologyOptions['tls'],
  rights: string | undefined,
): Promise<Daemon> {
  const directory = await mkdtemp(join(tmpdir(), 'regshift-sentinel-'));
  const file = join(directory, 'sentinel.conf');
  const secured = tls
    ? [
        'port 0',
        `tls-port ${port}`,
        'tls-auth-clients no',
        'tls-replication yes',
        `tls-cert-file ${tls.certificate}`,
        `tls-key-file ${tls.key}`,
        `tls-ca-cert-file ${tls.certificate}`,
      ]
    : [`port ${port}`];
  const lines = [
    `bind ${host}`,
    `dir ${directory}`,
    ...secured,
    `requirepass "${sentinelPassword}"`,
    `sentinel sentinel-pass "${sentinelPassword}"`,
    ...(rights === undefined ? [] : [`user watch on >${sentinelPassword} ${rights}`]),
    `sentinel monitor ${masterName} ${host} ${master} 2`,
    `sentinel auth-pass ${masterName} "${dataPassword}"`,
    `sentinel down-after-milliseconds ${masterName} 1000`,
    `sentinel failover-timeout ${masterName} 5000`,
  ];
  await writeFile(file, lines.join('\n'));
  return startDaemon({
    program: 'redis-server',
    args: [file, '--sentinel'],
    directory,
    isReady: () => isListening(port),
  });
}

function isListening(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, host);
  socket.once('connect', () => resolve(true));
  socket.once('error', () => resolve(false));
  return promise.finally(() => socket.destroy());
}

/** The port of the nodes among themselves is the client's port plus 10,000. */
async function clusterPort(): Promise<number> {
  const port = await freePort();
  return port < 55_000 ? port : clusterPort();
}

/** `DEBUG SLEEP` blocks the whole server; the client does not wait for its end. */
async function pause({ url }: RedisServer): Promise<void> {
  void ask(url, ['DEBUG', 'SLEEP', '20']).catch(() => undefined);
  await sleep(100);
}

const info = (server: RedisServer) => ask(server.url, ['INFO', 'replication']).then(String);
const clusterInfo = (server: RedisServer) => ask(server.url, ['CLUSTER', 'INFO']).then(String);
const clusterNodes = async (server: RedisServer) =>
  String(await ask(server.url, ['CLUSTER', 'NODES'])).split('\n');

function askSentinel(port: number, tls: TopologyOptions['tls'], command: readonly string[]) {
  return ask(`redis${tls ? 's' : ''}://:${encodeURIComponent(sentinelPassword)}@${host}:${port}`, command);
}

async function ask(url: string, command: readonly string[]): Promise<unknown> {
  const client = createClient({
    url,
    RESP: 2,
    // The certificate of a test is its own authority.
    socket: {
      reconnectStrategy: false,
      ...(url.startsWith('rediss:') ? { tls: true, rejectUnauthorized: false } : {}),
    },
  } as Parameters<typeof createClient>[0]);
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await client.sendCommand([...command]);
  } finally {
    client.destroy();
  }
}

/** @throws Error when the condition does not hold within half a minute. An error counts as false. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline) {
    if (await condition().catch(() => false)) return;
    await sleep(50);
  }
  throw new Error('The servers of Redis did not become ready');
}
