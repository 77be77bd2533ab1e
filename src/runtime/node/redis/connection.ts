import { ErrorReply } from '@redis/client';
import type { MemoryBudget, MemoryTable } from '../../../cache/memory-budget.ts';
import { type Clock, systemClock } from '../../../clock.ts';
import { type Circuit, createCircuit } from '../../../concurrency/circuit-breaker.ts';
import type { RedisAddress } from '../../../config/redis-address.ts';
import type { Log } from '../../../observability/log.ts';
import type { RedisClient, RedisCommands } from './client.ts';
import { createRedisClient } from './create-client.ts';
import { codeIn, createReasonOf, reasonOfSilence } from './reason.ts';

/** A connection to Redis with a deadline for every command. */
export interface RedisConnection {
  /**
   * Runs one command.
   * @returns undefined if Redis is down, is late or refuses; the caller goes on without Redis. Commands are not
   *   queued for later.
   */
  run<T>(command: (redis: RedisCommands) => Promise<T>): Promise<T | undefined>;
  isDown(): boolean;
  close(): Promise<void>;
}

export interface RedisConnectionOptions {
  readonly address: RedisAddress;
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

/** Connects, or keeps trying in the background. An unreachable Redis is not an error. */
export async function openRedisConnection({
  address,
  log,
  memory,
  onReconnect,
  deadlineMs = defaultDeadlineMs,
  clock = systemClock,
}: RedisConnectionOptions): Promise<RedisConnection> {
  const first = Promise.withResolvers<void>();
  const reasonOf = createReasonOf(address);
  const isNew = createReminder(memory.table('redis'), clock);
  let hasAnswered = false;
  const awayReasonOf = (error: unknown) =>
    hasAnswered ? reasonOf(error) : reasonOfSilence(reasonOf(error), address);
  /** While there is no connection, a command fails without the cause. */
  let noConnection: unknown;
  /** The code of the last logged reason to be away. */
  let awayBy: string | undefined;
  /** A server that ends breaks its connections first, and refuses new ones later: that is no new reason. */
  function stillAway(reason: string): void {
    const code = codeIn(reason);
    if (code === awayBy || !refusesAll.includes(code) || !isNew(`away ${code}`)) return;
    awayBy = code;
    log('warn', 'Redis is still away, now for another reason', { reason });
  }
  const client = createRedisClient(address, {
    onError(error) {
      noConnection = error;
      circuit.open(awayReasonOf(error));
      first.resolve();
    },
    onReady() {
      noConnection = undefined;
      circuit.probeNow();
      first.resolve();
    },
  });
  const circuit = createCircuit({
    probe: async () => {
      try {
        await within(
          deadlineMs,
          client.reconnect().then(() => client.commands.ping()),
        );
      } catch (error) {
        stillAway(reasonOf(noConnection ?? error));
        client.revive();
        throw error;
      }
    },
    onOpen: (reason) => {
      awayBy = codeIn(reason);
      log('warn', 'Redis is away: going on without it', { reason });
    },
    onClose: () => {
      hasAnswered = true;
      log('info', 'Redis is back');
      onReconnect();
    },
    clock,
  });
  const answered = () => {
    hasAnswered = true;
  };
  client.connect();
  await within(firstDeadlineMs, first.promise).catch((error) =>
    circuit.open(awayReasonOf(client.lastError() ?? error)),
  );
  return {
    isDown: circuit.isOpen,
    run: createRun({ client, circuit, log, deadlineMs, clock, reasonOf, isNew, answered }),
    async close() {
      circuit.stop();
      await within(deadlineMs, client.close()).catch(() => client.destroy());
    },
  };
}

/** A refusal of one kind is logged once in this time, in milliseconds. */
const refusalMs = 600_000;

/** Makes a function that is true for a kind of refusal that it was not called with in the last ten minutes. */
function createReminder(at: MemoryTable<number>, clock: Clock): (kind: string) => boolean {
  return (kind) => {
    if (clock() - (at.get(kind) ?? Number.NEGATIVE_INFINITY) < refusalMs) return false;
    at.set(kind, clock());
    return true;
  };
}

/** Time after which one late response of a cluster no longer counts, in milliseconds. */
const lateMs = 10_000;

interface RunParts extends Required<Pick<RedisConnectionOptions, 'log' | 'deadlineMs' | 'clock'>> {
  readonly client: RedisClient;
  readonly circuit: Circuit;
  readonly reasonOf: (error: unknown) => string;
  readonly isNew: (kind: string) => boolean;
  /** Called with each reply. */
  readonly answered: () => void;
}

/**
 * A server that refuses writes is connected to anew at most once in this time, in milliseconds. It may be a master that
 * has become a replica, behind a name or a load balancer that leads to the new master.
 */
const renewMs = 10_000;

/** Redis refuses each command of a connection without a login (NOAUTH), and each login with a wrong one. */
const refusesAll = ['NOAUTH', 'WRONGPASS'];

function createRun(parts: RunParts): RedisConnection['run'] {
  const { client, circuit, log, deadlineMs, clock, reasonOf, isNew, answered } = parts;
  let lastLate = Number.NEGATIVE_INFINITY;
  let renewedAt = Number.NEGATIVE_INFINITY;
  return async (command) => {
    if (circuit.isOpen()) return undefined;
    try {
      const reply = await within(deadlineMs, command(client.commands));
      answered();
      // In a cluster, the other servers respond while one stands still.
      if (!client.isSharded || clock() - lastLate > lateMs) circuit.recordSuccess();
      return reply;
    } catch (error) {
      if (error instanceof Late) {
        lastLate = clock();
        circuit.recordTimeout(error.message);
      }
      if (!(error instanceof ErrorReply)) return undefined;
      // Redis is up and refuses, for instance because it is full (OOM) or the user lacks a right (NOPERM).
      const reason = reasonOf(error);
      const code = codeIn(reason);
      if (refusesAll.includes(code)) circuit.open(reason);
      else if (isNew(code)) log('warn', 'Redis refuses a command: going on without', { reason });
      if (code === 'READONLY' && clock() - renewedAt >= renewMs) {
        renewedAt = clock();
        client.renew();
      }
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
