import type { Cache } from '../../../cache/cache.ts';
import type { MemoryBudget } from '../../../cache/memory-budget.ts';
import { isOurs, kindOf } from '../../../registry/cache-entries.ts';
import type { EntryAuthenticator } from './authenticated-entry.ts';
import type { RedisConnection } from './connection.ts';

const day = 24 * 3600;

/** Documents are large, and a holder of the recipe can fetch or convert them again. */
const documents: ReadonlySet<string> = new Set(['product', 'made-config', 'manifest']);

/** Larger documents are not stored: a Redis is small, and few manifests have more than 20 KB. */
export const documentBytes = 1024 * 1024;

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
): RedisCache {
  /** Entries that this replica has seen in Redis, with the time until which they count as present. */
  const present = memory.table<number>('redis');
  const trust = (key: string) => present.set(key, performance.now() + trustedMs);

  return {
    async get(key, budget) {
      budget?.spend();
      const value = await connection.run((client) => client.get(authenticator.keyFor(key)));
      const entry = value ? authenticator.open(key, value) : undefined;
      if (entry) trust(key);
      return entry;
    },
    async set(key, entry, budget) {
      budget?.spend();
      const isDocument = documents.has(kindOf(key));
      if (isDocument && entry.body.length > documentBytes) return trust(key);
      const value = authenticator.seal(key, entry);
      const life = isDocument ? lifeSeconds.document : lifeSeconds.other;
      const isStored = !isDocument || value.length <= documentBytes;
      const done = isStored
        ? await connection.run((client) => client.set(authenticator.keyFor(key), value, { EX: life }))
        : 'too large';
      if (done !== undefined) trust(key);
    },
    lacks: (key) => !connection.isDown() && (present.get(key) ?? 0) < performance.now(),
    forget: () => present.clear(),
  };
}
