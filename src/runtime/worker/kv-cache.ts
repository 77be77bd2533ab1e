import { sha256Hex } from '../../../converters/digest.ts';
import type { Cache } from '../../cache/cache.ts';
import { decodeEntry, encodeEntry } from '../../cache/entry-codec.ts';
import type { Log } from '../../observability/log.ts';

/** Lifetime of an entry in seconds; an entry can be made again. */
const lifeSeconds = 30 * 24 * 3600;

/**
 * The cache in Workers KV, which all locations share. A location that got "not found" gets it for a minute more,
 * although another one has written the entry meanwhile; the search finds it. A longer `cacheTtl` would lengthen that
 * minute, and the Cache API keeps found entries near anyway. A cache key may be longer than the 512 bytes of KV, so
 * its hash is the KV key.
 */
export function createKvCache(namespace: KVNamespace, log: Log): Cache {
  const name = (key: string) => `${key.split(' ', 1)[0]}:${sha256Hex(key)}`;
  return {
    async get(key, budget) {
      budget?.spend();
      try {
        const bytes = await namespace.get(name(key), 'arrayBuffer');
        return bytes === null ? undefined : decodeEntry(new Uint8Array(bytes));
      } catch (error) {
        log('warn', 'KV could not be read; going on without it', { reason: String(error) });
        return undefined;
      }
    },
    async set(key, entry, budget) {
      budget?.spend();
      try {
        await namespace.put(name(key), encodeEntry(entry), { expirationTtl: lifeSeconds });
      } catch (error) {
        // KV allows one write a second per key; another isolate has just written the same entry.
        log('warn', 'KV could not be written; going on without it', { reason: String(error) });
      }
    },
  };
}
