import { createClient, ErrorReply, RESP_TYPES } from '@redis/client';
import type { MemoryBudget, MemoryTable } from '../../../cache/memory-budget.ts';
import { type Clock, systemClock } from '../../../clock.ts';
import { type Circuit, createCircuit } from '../../../concurrency/circuit-breaker.ts';
import type { Log } from '../../../observability/log.ts';

/** A connection to Redis with a deadline for every command. */
export interface RedisConnection {
  /**
   * Runs one command.
   * @returns undefined if Redis is down, is late or refuses; the caller goes on without Redis. Commands are not
   *   queued for later.
   */
  run<T>(command: (client: RedisClient) => Promise<T>): Promise<T | undefined>;
  isDown(): boolean;
  close(): Promise<void>;
}

/** Values are bytes. */
export type RedisClient = ReturnType<typeof clientOf>;

export interface RedisConnectionOptions {
  readonly url: URL;
  readonly log: Log;
  readonly memory: MemoryBudget;
  /** Called after a reconnect. Redis may have lost its entries. */
  readonly onReconnect: () => void;
  /** Deadline for one command, in milliseconds. */
  readonly deadlineMs?: number;
  readonly clock?: Clock;
}

const defaultDeadlineMs = 250;
/** Deadline for the first connection, in milliseconds: the start of the proxy waits no longer. */
const firstDeadlineMs = 1_000;

/** A connection without any response for this long is closed. The ping is frequent enough to notice it. */
const pingMs = 5_000;
const silenceMs = 12_000;

/** Connects, or keeps trying in the background. An unreachable Redis is not an error. */
export async function openRedisConnection({
  url,
  log,
  memory,
  onReconnect,
  deadlineMs = defaultDeadlineMs,
  clock = systemClock,
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
    clock,
  });
  client.on('error', (error: NodeJS.ErrnoException) => circuit.open(reasonOf(error)));
  client.on('ready', () => circuit.probeNow());
  await connect(client, circuit);
  return {
    isDown: circuit.isOpen,
    run: createRun({ client, circuit, log, deadlineMs, clock, logged: memory.table('redis') }),
    async close() {
      circuit.stop();
      await within(deadlineMs, client.close()).catch(() => client.destroy());
    },
  };
}

/** If a name has several addresses and none answers, the error has a code and no message. */
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
    // A user with the cache's rights only would be refused this command.
    disableClientInfo: true,
    socket: {
      connectTimeout: 5_000,
      socketTimeout: silenceMs,
      // Replicas do not reconnect all at once.
      reconnectStrategy: (retries) => Math.min(100 * 2 ** Math.min(retries, 5), 2_000) + Math.random() * 200,
    },
  }).withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
}

/** The listener reports the first error; the client then keeps trying. */
async function connect(client: RedisClient, circuit: Circuit): Promise<void> {
  const first = Promise.withResolvers<void>();
  client.once('error', () => first.resolve());
  // The promise resolves without a connection only after `close`.
  client.connect().then(
    () => first.resolve(),
    () => first.resolve(),
  );
  await within(firstDeadlineMs, first.promise).catch((error: Error) => circuit.open(error.message));
}

interface RunParts extends Required<Pick<RedisConnectionOptions, 'log' | 'deadlineMs' | 'clock'>> {
  readonly client: RedisClient;
  readonly circuit: Circuit;
  /** The time of the last logged refusal, by its code. */
  readonly logged: MemoryTable<number>;
}

/** A refusal of one kind is logged once in this time, in milliseconds. */
const refusalMs = 600_000;

function createRun({ client, circuit, log, deadlineMs, clock, logged }: RunParts): RedisConnection['run'] {
  const isLogged = (code: string) => clock() - (logged.get(code) ?? Number.NEGATIVE_INFINITY) < refusalMs;
  return async (command) => {
    if (circuit.isOpen()) return undefined;
    try {
      const reply = await within(deadlineMs, command(client));
      circuit.recordSuccess();
      return reply;
    } catch (error) {
      if (error instanceof Late) circuit.recordTimeout(error.message);
      if (!(error instanceof ErrorReply)) return undefined;
      // Redis is up and refuses, for instance because it is full (OOM) or the user lacks a right (NOPERM).
      const [code = ''] = error.message.split(' ', 1);
      if (isLogged(code)) return undefined;
      logged.set(code, clock());
      log('warn', 'Redis refuses a command: going on without', { reason: error.message });
      return undefined;
    }
  };
}

class Late extends Error {
  override readonly name = 'Late';
}

/** @throws Late. The command is not cancelled; its result is discarded. */
async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    // If this process was blocked, the response may be unread already: the event loop reads it before this runs.
    setImmediate(() => reject(new Late(`no answer within ${milliseconds} ms`)));
  }, milliseconds);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
