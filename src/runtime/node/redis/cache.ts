import { LRUCache } from 'lru-cache';
import type { Cache } from '../../../cache/cache.ts';
import { isOurs, kindOf } from '../../../registry/cache-entries.ts';
import type { EntryAuthenticator } from './authenticated-entry.ts';
import type { RedisConnection } from './connection.ts';

const day = 24 * 3600;

/** Whole documents, which are larger than all else and can be made or fetched again by who knows the recipe. */
const documents: ReadonlySet<string> = new Set(['product', 'made-config', 'manifest']);

/** Larger documents are left out: a Redis is small, and few manifests have more than 20 KB. */
export const documentBytes = 1024 * 1024;

/**
 * How long an entry stays since it was last written. Each has an end, so that every eviction policy may choose it;
 * documents have the nearer one, so that volatile-ttl chooses them before the recipes.
 */
export const lifeSeconds = { document: 7 * day, other: 90 * day } as const;

/** How long it is taken for granted that an entry is there; who uses it after that puts it there again. */
const trustedMs = 600_000;

export interface RedisCache extends Cache {
  /** What was there may be gone. */
  forget(): void;
}

/**
 * Of what upstream has, manifests are kept too: Docker Hub counts each GET of one as a pull, and ten replicas would
 * spend ten.
 */
export function isShared(key: string): boolean {
  return isOurs(key) || kindOf(key) === 'manifest';
}

export function createRedisCache(connection: RedisConnection, authenticator: EntryAuthenticator): RedisCache {
  /** What is there, as far as this replica has seen. */
  const present = new LRUCache<string, true>({ max: 20_000, ttl: trustedMs });

  return {
    async get(key, budget) {
      budget?.spend();
      const value = await connection.run((client) => client.get(authenticator.keyFor(key)));
      const entry = value ? authenticator.open(key, value) : undefined;
      if (entry) present.set(key, true);
      return entry;
    },
    async set(key, entry, budget) {
      budget?.spend();
      const value = authenticator.seal(key, entry);
      const isDocument = documents.has(kindOf(key));
      const life = isDocument ? lifeSeconds.document : lifeSeconds.other;
      const isKept = !isDocument || value.length <= documentBytes;
      const done = isKept
        ? await connection.run((client) => client.set(authenticator.keyFor(key), value, { EX: life }))
        : 'too large';
      if (done !== undefined) present.set(key, true);
    },
    lacks: (key) => !connection.isDown() && !present.has(key),
    forget: () => present.clear(),
  };
}
