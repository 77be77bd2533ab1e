import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { differences, type FleetFingerprint } from '../../../config/fleet-fingerprint.ts';
import type { Log } from '../../../observability/log.ts';
import type { RedisClient, RedisConnection } from './connection.ts';

/** Outside of the names of entries: replicas that share nothing else must find each other here. */
const listName = 'regshift:replicas';
const nameOf = (id: string) => `regshift:replica:${id}`;

const beatMs = 30_000;
const lifeSeconds = 90;

const agreement = z.record(z.string(), z.string());

/**
 * Tells the other replicas what this one has, and the log where one of them has something else. It is no more than a
 * warning: a digest names bytes, and entries are read by replicas of the same key and version only, so nothing wrong
 * can be served; and to refuse would make a change of the key, or an upgrade, a time without any replica.
 */
export class FleetCheck {
  readonly #link: RedisConnection;
  readonly #own: FleetFingerprint;
  readonly #log: Log;
  readonly #id = randomUUID();
  readonly #told = new Set<string>();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(connection: RedisConnection, own: FleetFingerprint, log: Log) {
    this.#link = connection;
    this.#own = own;
    this.#log = log;
  }

  async join(): Promise<void> {
    this.#timer = setInterval(() => void this.beat(), beatMs);
    await this.beat();
  }

  async leave(): Promise<void> {
    clearInterval(this.#timer);
    await this.#link.run((client) => forget(client, [this.#id]));
  }

  async beat(): Promise<void> {
    const value = JSON.stringify(this.#own);
    await this.#link.run((client) => client.set(nameOf(this.#id), value, { EX: lifeSeconds }));
    await this.#link.run((client) => client.sAdd(listName, this.#id));
    const ids = ((await this.#link.run((client) => client.sMembers(listName))) ?? []).map(String);
    const others = ids.filter((id) => id !== this.#id);
    if (others.length === 0) return;
    const values = (await this.#link.run((client) => client.mGet(others.map(nameOf)))) ?? [];
    values.forEach((each) => {
      if (each) this.#compare(String(each));
    });
    const gone = others.filter((_id, index) => values[index] === null);
    if (gone.length > 0) await this.#link.run((client) => client.sRem(listName, gone));
  }

  #compare(value: string): void {
    const differing = differences(this.#own, agreementIn(value));
    const key = JSON.stringify(differing);
    if (key === '{}' || this.#told.has(key)) return;
    this.#told.add(key);
    this.#log('warn', 'another replica that shares this Redis is set otherwise', {
      differing,
      consequence:
        'clients are given one thing or another as they meet one replica or another; give all the same settings and version',
    });
  }
}

async function forget(client: RedisClient, ids: readonly string[]): Promise<void> {
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
