import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { expect, it, onTestFinished, vi } from 'vitest';
import { type Clock, systemClock } from '../../../../../src/clock.ts';
import { parseRedisAddress } from '../../../../../src/config/redis-address.ts';
import type { Facts } from '../../../../../src/observability/log.ts';
import { openRedisConnection } from '../../../../../src/runtime/node/redis/connection.ts';
import { createReasonOf } from '../../../../../src/runtime/node/redis/reason.ts';
import { makeCertificate } from '../../../../support/certificate.ts';
import { temporaryFolder } from '../../../../support/cli.ts';
import { testMemory } from '../../../../support/memory.ts';

function addressOf(text: string) {
  const address = parseRedisAddress(text);
  if ('problem' in address) throw new Error(address.problem);
  return address;
}

/** The commands of clients, each an array of strings (Redis serialization protocol, "Arrays"). */
function commandsIn(chunk: Buffer): string[] {
  const names = chunk.toString('latin1').matchAll(/\*\d+\r\n\$\d+\r\n([^\r]*)\r\n/g);
  return [...names].map(([, name = '']) => name.toUpperCase());
}

/** A server that speaks as Redis does. @param replyTo the reply to each command, by its name; undefined for none. */
async function scriptedRedis(
  replyTo: (command: string) => string | undefined,
  onConnection: () => void = () => {},
  host = '127.0.0.1',
) {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    onConnection();
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      for (const command of commandsIn(chunk)) {
        const reply = replyTo(command);
        if (reply !== undefined) socket.write(`${reply}\r\n`);
      }
    });
  });
  server.listen(0, host);
  await once(server, 'listening');
  const cut = () => {
    for (const socket of sockets.splice(0)) socket.destroy();
  };
  onTestFinished(() => {
    cut();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, cut };
}

async function open(url: string, clock: Clock = systemClock) {
  const logged: { readonly message: string; readonly reason: unknown }[] = [];
  const connection = await openRedisConnection({
    address: addressOf(url),
    log: (_level, message, facts: Facts = {}) => logged.push({ message, reason: facts.reason }),
    memory: testMemory(),
    onReconnect: () => undefined,
    clock,
  });
  onTestFinished(() => connection.close());
  return { ...connection, logged };
}

const noAuth = '-NOAUTH Authentication required.';
const wrongPass = '-WRONGPASS invalid username-password pair or user is disabled.';

it.each([noAuth, wrongPass])('a Redis that refuses everything is away: %s', async (refusal) => {
  const state = { refuses: true };
  const { port } = await scriptedRedis(() => (state.refuses ? refusal : '+OK'));
  const { run, isDown, logged } = await open(`redis://127.0.0.1:${port}`);
  expect(await run((redis) => redis.getRange('a', 0, 9))).toBeUndefined();
  expect(isDown()).toBe(true);
  expect(logged).toEqual([{ message: 'Redis is away: going on without it', reason: refusal.slice(1) }]);
  state.refuses = false;
  await expect.poll(isDown, { timeout: 5_000 }).toBe(false);
  expect(logged.map(({ message }) => message)).toEqual([
    'Redis is away: going on without it',
    'Redis is back',
  ]);
});

it('a Redis that refuses one command stays', async () => {
  const { port } = await scriptedRedis(() => '-NOPERM no right');
  const { run, isDown, logged } = await open(`redis://127.0.0.1:${port}`);
  for (const _ of [1, 2]) await run((redis) => redis.getRange('a', 0, 9));
  expect(isDown()).toBe(false);
  expect(logged).toEqual([
    { message: 'Redis refuses a command: going on without', reason: 'NOPERM no right' },
  ]);
});

// The refusals are those of Redis 7.0.15.
it.each([
  [
    '-MOVED 6481 127.0.0.1:7001',
    'The server is a node of a cluster: begin REGSHIFT_REDIS_URL with redis-cluster://.',
  ],
  [
    "-ERR unknown command 'GETRANGE', with args beginning with: 'a' ",
    'If the server is a Sentinel, begin REGSHIFT_REDIS_URL with redis-sentinel://.',
  ],
  [
    "-READONLY You can't write against a read only replica.",
    'The server is a replica: name its master or its Sentinels.',
  ],
])('the reason says what to do where the address names another kind of server: %s', async (refusal, todo) => {
  const { port } = await scriptedRedis(() => refusal);
  const { run, logged } = await open(`redis://127.0.0.1:${port}`);
  await run((redis) => redis.getRange('a', 0, 9));
  const said = refusal.slice(1).replace(/, with args.*|\.$/, '');
  expect(logged.map(({ reason }) => reason)).toEqual([`${said}. ${todo}`]);
});

it.each([
  ["ERR unknown command 'SENTINEL', with args beginning with: ", /The server is no Sentinel: /],
  ['ERR This instance has cluster support disabled', /The server is in no cluster: /],
  ['ERR DB index is out of range', /Correct the number of the database/],
  ['self-signed certificate in certificate chain', /Name its authority in NODE_EXTRA_CA_CERTS\.$/],
  ['unable to verify the first certificate', /Name its authority in NODE_EXTRA_CA_CERTS\.$/],
  ['tlsv13 alert certificate required:SSL alert number 116\n', /116\. Set tls-auth-clients no at the server/],
  ['Unknown RESP type 72 "H"', /The server is no Redis, or wants TLS/],
  ['connect ECONNREFUSED 127.0.0.1:1', /^connect ECONNREFUSED 127\.0\.0\.1:1$/],
])('the reason says what to do about a wrong address: %s', (text, expected) => {
  expect(createReasonOf(addressOf('redis://127.0.0.1:1'))(new Error(text))).toMatch(expected);
});

it('a server that has become a replica is left for the master that its name leads to', async () => {
  const state = { isMaster: false, connections: 0 };
  const { port } = await scriptedRedis(
    () => (state.isMaster ? '+OK' : "-READONLY You can't write against a read only replica."),
    () => {
      state.connections += 1;
      state.isMaster = state.connections > 1;
    },
  );
  const { run, isDown, logged } = await open(`redis://127.0.0.1:${port}`);
  const set = () => run((redis) => redis.set('a', 'b', { EX: 1 }));
  expect(await set()).toBeUndefined();
  await expect.poll(set, { timeout: 5_000 }).toBeDefined();
  expect([isDown(), state.connections, logged.length]).toEqual([false, 2, 1]);
});

it('a server that stays a replica is connected to anew once in ten seconds', async () => {
  const state = { connections: 0, now: 0 };
  const { port } = await scriptedRedis(
    (command) => (command === 'SET' ? "-READONLY You can't write against a read only replica." : '+OK'),
    () => {
      state.connections += 1;
    },
  );
  const { run, isDown, logged } = await open(`redis://127.0.0.1:${port}`, () => state.now);
  const set = () => run((redis) => redis.set('a', 'b', { EX: 1 }));
  const answers = () => run((redis) => redis.ping());
  for (const now of [0, 9_999, 10_000]) {
    state.now = now;
    for (const _ of [1, 2]) await set();
    await expect.poll(answers, { timeout: 5_000 }).toBeDefined();
  }
  expect([isDown(), state.connections, logged.length]).toEqual([false, 3, 1]);
});

it('a connection that regshift leaves, with a ping under way, is no Redis that is away', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const state = { connections: 0, commands: [] as string[] };
  const { port } = await scriptedRedis(
    (command) => {
      state.commands.push(command);
      // The reply to the write comes after the ping, which gets none.
      return command === 'SET' ? undefined : "-READONLY You can't write against a read only replica.";
    },
    () => {
      state.connections += 1;
    },
  );
  const { run, isDown, logged } = await open(`redis://127.0.0.1:${port}`);
  vi.advanceTimersByTime(4_900);
  const refused = run((redis) => redis.set('a', 'b', { EX: 1 }));
  await expect.poll(() => state.commands, { timeout: 5_000 }).toEqual(['SET']);
  // The client pings each five seconds.
  vi.advanceTimersByTime(100);
  await refused;
  await expect.poll(() => state.connections, { timeout: 5_000 }).toBe(2);
  expect([isDown(), state.commands, logged.length]).toEqual([false, ['SET', 'PING'], 1]);
});

it('a server that refuses a write during the close is not connected to anew', async () => {
  const state = { connections: 0 };
  const closing = Promise.withResolvers<void>();
  const readOnly = "-READONLY You can't write against a read only replica.\r\n";
  const server = createServer((socket) => {
    state.connections += 1;
    socket.on('error', () => undefined);
    socket.on('data', async (chunk) => {
      const [command] = commandsIn(chunk);
      if (command === 'SET') await closing.promise;
      socket.write(command === 'SET' ? readOnly : '+OK\r\n');
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const { run, close } = await open(`redis://127.0.0.1:${port}`);
  const refused = run((redis) => redis.set('a', 'b', { EX: 1 }));
  const closed = close();
  closing.resolve();
  await Promise.all([refused, closed]);
  // A connection that the client still makes is there before this one, which the server accepts after it.
  const last = connect(port, '127.0.0.1');
  await expect.poll(() => state.connections, { timeout: 5_000 }).toBeGreaterThan(1);
  last.destroy();
  expect(state.connections).toBe(2);
});

it('a server that takes each connection and breaks it is connected to once a second', async () => {
  const state = { connections: 0 };
  const server = createServer((socket) => {
    state.connections += 1;
    socket.on('error', () => undefined);
    // As a Redis in protected mode does (Redis 7.0.15), and one that has `maxclients` clients.
    socket.end('-DENIED Redis is running in protected mode\r\n');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  const { isDown } = await open(`redis://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const since = systemClock();
  await expect.poll(() => state.connections, { timeout: 10_000 }).toBeGreaterThan(3);
  expect([isDown(), state.connections]).toEqual([true, 4]);
  expect(systemClock() - since).toBeGreaterThan(1_000);
});

it('a server of TLS gets the name of the address in the hello', async () => {
  const hello = Promise.withResolvers<string>();
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (bytes) => {
      hello.resolve(bytes.toString('latin1'));
      socket.destroy();
    });
  });
  await once(server.listen(0, 'localhost'), 'listening');
  onTestFinished(() => void server.close());
  await open(`rediss://localhost:${(server.address() as AddressInfo).port}`);
  expect(await hello.promise).toContain('localhost');
});

/** The replies of a cluster of one node that tells this host (Redis, CLUSTER SLOTS). @param host as bulk string. */
function replyOfCluster(host: string, port: () => number) {
  return (command: string) =>
    command === 'CLUSTER' ? `*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n${host}\r\n:${port()}\r\n$2\r\nid` : '+OK';
}

// A cluster of one node that has met no other knows no address of its own; `cluster-preferred-endpoint-type
// unknown-endpoint` has all nodes tell none (Redis 7.0.15).
it.each([
  ['an empty host', '$0\r\n'],
  ['no host', '$-1'],
])('a node of a cluster that tells %s is reached at the host of the address', async (_what, host) => {
  const sent: string[] = [];
  const reply = replyOfCluster(host, () => port);
  const { port } = await scriptedRedis(
    (command) => {
      sent.push(command);
      return reply(command);
    },
    undefined,
    '127.0.0.2',
  );
  const { run, isDown } = await open(`redis-cluster://127.0.0.2:${port}`);
  await run((redis) => redis.set('a', 'b', { EX: 1 }));
  expect([isDown(), sent]).toEqual([false, ['CLUSTER', 'SET']]);
});

it('each node of a cluster with TLS gets its name in the hello', async () => {
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
  onTestFinished(() => void vi.unstubAllEnvs());
  const folder = temporaryFolder();
  mkdirSync(folder, { recursive: true });
  const names: unknown[] = [];
  const reply = replyOfCluster('$9\r\nlocalhost', () => (server.address() as AddressInfo).port);
  const server = createTlsServer(makeCertificate(folder, 'node', 90, 'DNS:localhost'), (socket) => {
    names.push(socket.servername);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      for (const command of commandsIn(chunk)) socket.write(`${reply(command)}\r\n`);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  const { run } = await open(`rediss-cluster://localhost:${(server.address() as AddressInfo).port}`);
  await run((redis) => redis.set('a', 'b', { EX: 1 }));
  expect(names).toEqual(['localhost', 'localhost']);
});

it.each([
  ['redis', 'If the server wants TLS, begin REGSHIFT_REDIS_URL with rediss.'],
  ['rediss', 'The server must speak TLS, and ask clients for no certificate (tls-auth-clients no).'],
])('a server that has never answered may speak otherwise: %s://', async (scheme, todo) => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => socket.resetAndDestroy());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  const { run, logged } = await open(`${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`);
  await run((redis) => redis.set('a', 'b', { EX: 1 }));
  await expect.poll(() => logged.length).toBe(1);
  expect(logged[0]?.reason).toMatch(/^(Socket closed unexpectedly|.*(ECONNRESET|disconnected before).*)\. /);
  expect(logged[0]?.reason).toContain(todo);
});

it('a server that answered before is only away', async () => {
  const { port, cut } = await scriptedRedis(() => '+OK');
  const { run, logged } = await open(`redis://127.0.0.1:${port}`);
  await run((redis) => redis.set('a', 'b', { EX: 1 }));
  cut();
  await expect.poll(() => logged.length).toBe(1);
  expect(logged[0]?.reason).toMatch(/^(Socket closed unexpectedly|read ECONNRESET)$/);
});

it('another reason to be away is logged once, like a password that was changed', async () => {
  const state = { refuses: false };
  const { port, cut } = await scriptedRedis((command) =>
    state.refuses && command === 'AUTH' ? wrongPass : '+OK',
  );
  const { logged } = await open(`redis://:secret@127.0.0.1:${port}`);
  state.refuses = true;
  cut();
  const later = () => logged.slice(1);
  const expected = [{ message: 'Redis is still away, now for another reason', reason: wrongPass.slice(1) }];
  await expect.poll(later, { timeout: 5_000 }).toEqual(expected);
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  expect(later()).toEqual(expected);
});

it.each([
  `-ERR unknown command 'AUTH', with args beginning with: 'user' 'super%secret' `,
  '-ERR unknown command `AUTH`, with args beginning with: `user`, `super%secret`, ',
  '-ERR user super%secret (super%25secret) is not here',
])('the reason has no login of the address: %s', async (refusal) => {
  const { port } = await scriptedRedis(() => refusal);
  const { logged } = await open(`redis://user:super%25secret@127.0.0.1:${port}`);
  expect(logged[0]?.reason).toMatch(/^ERR (unknown command .AUTH.|… … \(…\) is not here)$/);
});

it.each([
  ['redis-sentinel://me:a%2Fb@one/0?sentinelMasterId=m&sentinelUsername=you&sentinelPassword=c%2Fd'],
  ['redis-cluster://me:a%2Fb@one,two'],
])('the reason has no login of several servers: %s', (url) => {
  const reasonOf = createReasonOf(addressOf(url));
  expect(reasonOf(new Error('me a/b a%2Fb'))).toBe('… … …');
  if (url.includes('sentinel')) expect(reasonOf(new Error('you c/d c%2Fd'))).toBe('… … …');
});

it('the reason keeps words of which a short login is a part', () => {
  const reasonOf = createReasonOf(addressOf('redis://A:pass@127.0.0.1:1'));
  const reason = 'WRONGPASS invalid username-password pair or user is disabled.';
  expect(reasonOf(new Error(reason))).toBe(reason);
  expect(reasonOf(new Error("ERR 'A' and 'pass'"))).toBe("ERR '…' and '…'");
});
