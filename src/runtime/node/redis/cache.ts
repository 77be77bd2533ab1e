import { type Cache, claimMs } from '../../../cache/cache.ts';
import type { MemoryBudget } from '../../../cache/memory-budget.ts';
import { type Clock, systemClock } from '../../../clock.ts';
import { isOurs, kindOf } from '../../../registry/cache-entries.ts';
import type { EntryAuthenticator } from './authenticated-entry.ts';
import type { RedisConnection } from './connection.ts';

const day = 24 * 3600;

/** Documents are large, and a holder of the recipe can fetch or convert them again. */
const documents: ReadonlySet<string> = new Set(['product', 'made-config', 'manifest']);

/**
 * The largest value of an entry. Larger ones are not written: a Redis is small, and few manifests have more than 20 KB.
 * No more than this is read: another writer can put 512 MB under a name, Redis' own limit.
 */
export const valueBytes = 1024 * 1024;

/**
 * Lifetime of an entry after its last write, in seconds. Every entry has one, so that each eviction policy can select
 * it. Documents have the shorter one, so that volatile-ttl evicts them before recipes.
 */
export const lifeSeconds = { document: 7 * day, other: 90 * day } as const;

/** Time for which an entry counts as present; after that, its next use writes it again. */
const trustedMs = 600_000;

export interface RedisCache extends Cache {
  /** Forgets which entries are present: Redis may have lost them. */
  forget(): void;
}

/**
 * Stored manifests are shared too: Docker Hub counts each GET of a manifest as a pull, and ten replicas would spend
 * ten.
 */
export function isShared(key: string): boolean {
  return isOurs(key) || kindOf(key) === 'manifest';
}

export function createRedisCache(
  connection: RedisConnection,
  authenticator: EntryAuthenticator,
  memory: MemoryBudget,
  clock: Clock = systemClock,
): RedisCache {
  /** The time at which this replica asked Redis for an entry that was there, or for writing it. */
  const present = memory.table<number>('redis');
  /** The claims of this process, and when it asked for each: Redis ends them later, never earlier. */
  const claims = new Map<string, number>();

  return {
    async get(key, budget) {
      budget?.spend();
      const at = clock();
      // The part of a value that is too large does not have the code of the whole. An absent value is empty.
      const value = await connection.run((client) =>
        client.getRange(authenticator.keyFor(key), 0, valueBytes - 1),
      );
      const entry = value ? authenticator.open(key, value) : undefined;
      if (entry) present.set(key, at);
      return entry;
    },
    async set(key, entry, budget) {
      budget?.spend();
      const at = clock();
      if (entry.body.length > valueBytes) return void present.set(key, at);
      const value = authenticator.seal(key, entry);
      const life = documents.has(kindOf(key)) ? lifeSeconds.document : lifeSeconds.other;
      const isStored = value.length <= valueBytes;
      const done = isStored
        ? await connection.run((client) => client.set(authenticator.keyFor(key), value, { EX: life }))
        : 'too large';
      if (done !== undefined) present.set(key, at);
    },
    async claim(key, budget) {
      budget?.spend();
      const at = clock();
      const name = authenticator.keyFor(`claim ${key}`);
      const done = await connection.run((client) => client.set(name, '1', { PX: claimMs, NX: true }));
      // Redis answers null where the name is there already.
      if (done === null) return 'taken';
      claims.set(key, at);
      return 'claimed';
    },
    release(key) {
      const at = claims.get(key);
      claims.delete(key);
      // A claim that has ended may be that of another process by now.
      if (at === undefined || clock() - at >= claimMs) return;
      void connection.run((client) => client.del([authenticator.keyFor(`claim ${key}`)]));
    },
    lacks: (key) =>
      !connection.isDown() && clock() - (present.get(key) ?? Number.NEGATIVE_INFINITY) >= trustedMs,
    forget: () => present.clear(),
  };
}
