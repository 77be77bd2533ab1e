import { createClient, ErrorReply, RESP_TYPES } from '@redis/client';
import { LRUCache } from 'lru-cache';
import { type Circuit, createCircuit } from '../../../concurrency/circuit-breaker.ts';
import type { Log } from '../../../observability/log.ts';

/** A connection to Redis that nobody ever waits for long. */
export interface RedisConnection {
  /**
   * Runs one command.
   * @returns undefined where Redis is away, is late or says no: those who ask go on without it. Nothing is kept to be
   *   sent later.
   */
  run<T>(command: (client: RedisClient) => Promise<T>): Promise<T | undefined>;
  isDown(): boolean;
  close(): Promise<void>;
}

/** Values come as bytes. */
export type RedisClient = ReturnType<typeof clientOf>;

export interface RedisConnectionOptions {
  readonly url: URL;
  readonly log: Log;
  /** Called when Redis is there again: what it held may be gone. */
  readonly onReconnect: () => void;
  /** For one command. */
  readonly deadlineMs?: number;
}

const defaultDeadlineMs = 250;
/** For the first connection: a start waits no longer for it. */
const firstDeadlineMs = 1_000;

/** A connection on which nothing comes back is given up; a question is asked often enough to find out. */
const pingMs = 5_000;
const silenceMs = 12_000;

/** Connects, or goes on trying in the background. Never throws because Redis is not there. */
export async function openRedisConnection({
  url,
  log,
  onReconnect,
  deadlineMs = defaultDeadlineMs,
}: RedisConnectionOptions): Promise<RedisConnection> {
  const client = clientOf(url);
  const circuit = createCircuit({
    probe: async () => {
      await within(deadlineMs, client.ping());
    },
    onOpen: (reason) => log('warn', 'Redis is away: going on without it', { reason }),
    onClose: () => {
      log('info', 'Redis is back');
      onReconnect();
    },
    clock: Date.now,
  });
  client.on('error', (error: NodeJS.ErrnoException) => circuit.open(reasonOf(error)));
  client.on('ready', () => circuit.probeNow());
  await connect(client, circuit);
  return {
    isDown: circuit.isOpen,
    run: createRun(client, circuit, log, deadlineMs),
    async close() {
      circuit.stop();
      await within(deadlineMs, client.close()).catch(() => client.destroy());
    },
  };
}

/** Where a name leads to several addresses and none answers, there is a code and no message. */
function reasonOf({ message, code }: NodeJS.ErrnoException): string {
  return message || code || 'the connection broke';
}

function clientOf(url: URL) {
  return createClient({
    url: url.href,
    // RESP 3 needs Redis 6.
    RESP: 2,
    disableOfflineQueue: true,
    commandsQueueMaxLength: 10_000,
    pingInterval: pingMs,
    maintNotifications: 'disabled',
    // A user who may do no more than the cache needs would be refused it.
    disableClientInfo: true,
    socket: {
      connectTimeout: 5_000,
      socketTimeout: silenceMs,
      // Not all replicas at once when it comes back.
      reconnectStrategy: (retries) => Math.min(100 * 2 ** Math.min(retries, 5), 2_000) + Math.random() * 200,
    },
  }).withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
}

/** The first error is told by the listener; the client then goes on trying by itself. */
async function connect(client: RedisClient, circuit: Circuit): Promise<void> {
  const first = Promise.withResolvers<void>();
  client.once('error', () => first.resolve());
  // Ends without a connection only when it is closed.
  client.connect().then(
    () => first.resolve(),
    () => first.resolve(),
  );
  await within(firstDeadlineMs, first.promise).catch((error: Error) => circuit.open(error.message));
}

function createRun(
  client: RedisClient,
  circuit: Circuit,
  log: Log,
  deadlineMs: number,
): RedisConnection['run'] {
  /** What Redis has said no to lately: each kind is told once in ten minutes. */
  const told = new LRUCache<string, true>({ max: 100, ttl: 600_000 });
  return async (command) => {
    if (circuit.isOpen()) return undefined;
    try {
      const reply = await within(deadlineMs, command(client));
      circuit.recordSuccess();
      return reply;
    } catch (error) {
      if (error instanceof Late) circuit.recordTimeout(error.message);
      if (!(error instanceof ErrorReply)) return undefined;
      // It is there, and says for instance that it is full (OOM), or that this user may not do that (NOPERM).
      const [code = ''] = error.message.split(' ', 1);
      if (!told.has(code))
        log('warn', 'Redis refuses a command: going on without', { reason: error.message });
      told.set(code, true);
      return undefined;
    }
  };
}

class Late extends Error {
  override readonly name = 'Late';
}

/** @throws Late. The command goes on, for nobody. */
async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    // Where this process itself has stood still, the answer may lie there unread: it is read before this is called.
    setImmediate(() => reject(new Late(`no answer within ${milliseconds} ms`)));
  }, milliseconds);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
