import { randomUUID } from 'node:crypto';
import * as z from 'zod/mini';
import { mapBounded } from '../../../../converters/concurrency.ts';
import type { MemoryBudget, MemoryTable } from '../../../cache/memory-budget.ts';
import { differences, type FleetFingerprint } from '../../../config/fleet-fingerprint.ts';
import type { Log } from '../../../observability/log.ts';
import type { RedisCommands } from './client.ts';
import type { RedisConnection } from './connection.ts';

/** A name outside of the entries' names: replicas that share no entries still find each other here. */
const listName = 'regshift:replicas';
const nameOf = (id: string) => `regshift:replica:${id}`;

/** No more than this is read of the settings of a replica, which have a few KB. */
const mostBytes = 65_536;
const parallelReads = 8;

const beatMs = 30_000;
const lifeSeconds = 90;

const agreement = z.record(z.string(), z.string());

/**
 * Publishes the settings of this replica, and logs a warning if another replica differs. It is a warning only: a
 * digest names bytes, and replicas read entries of the same key and version, so no wrong content is served. A refusal
 * would leave no replica during an upgrade or a change of the key.
 */
export class FleetCheck {
  readonly #connection: RedisConnection;
  readonly #own: FleetFingerprint;
  readonly #log: Log;
  readonly #id = randomUUID();
  readonly #logged: MemoryTable<true>;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(connection: RedisConnection, own: FleetFingerprint, log: Log, memory: MemoryBudget) {
    this.#connection = connection;
    this.#own = own;
    this.#log = log;
    this.#logged = memory.table('redis');
  }

  async join(): Promise<void> {
    this.#timer = setInterval(() => void this.beat(), beatMs);
    await this.beat();
  }

  async leave(): Promise<void> {
    clearInterval(this.#timer);
    await this.#connection.run((client) => forget(client, [this.#id]));
  }

  async beat(): Promise<void> {
    const value = JSON.stringify(this.#own);
    await this.#connection.run((client) => client.set(nameOf(this.#id), value, { EX: lifeSeconds }));
    await this.#connection.run((client) => client.sAdd(listName, this.#id));
    const ids = ((await this.#connection.run((client) => client.sMembers(listName))) ?? []).map(String);
    const others = ids.filter((id) => id !== this.#id);
    if (others.length === 0) return;
    // One by one: MGET has no limit for a value.
    const values = await mapBounded(others, parallelReads, (id) =>
      this.#connection.run((client) => client.getRange(nameOf(id), 0, mostBytes - 1)),
    );
    for (const each of values) if (each?.length) this.#compare(String(each));
    // Undefined: Redis gave no answer.
    const gone = others.filter((_id, index) => values[index] !== undefined && !values[index]?.length);
    if (gone.length > 0) await this.#connection.run((client) => client.sRem(listName, gone));
  }

  #compare(value: string): void {
    const differing = differences(this.#own, agreementIn(value));
    const key = JSON.stringify(differing);
    if (key === '{}' || this.#logged.has(key)) return;
    this.#logged.set(key, true);
    this.#log('warn', 'another replica that shares this Redis is set otherwise', {
      differing,
      consequence:
        'clients are given one thing or another as they meet one replica or another; give all the same settings and version',
    });
  }
}

async function forget(client: RedisCommands, ids: readonly string[]): Promise<void> {
  await client.del(ids.map(nameOf));
  await client.sRem(listName, [...ids]);
}

function agreementIn(value: string): FleetFingerprint {
  try {
    return agreement.safeParse(JSON.parse(value)).data ?? {};
  } catch {
    return {};
  }
}
