import { sha256Hex } from '../../../converters/digest.ts';
import type { Cache } from '../../cache/cache.ts';
import { decodeEntry, encodeEntry } from '../../cache/entry-codec.ts';
import type { Log } from '../../observability/log.ts';

/** What is that old is dropped, asked for or not: it can be made again. */
const lifeSeconds = 30 * 24 * 3600;

/**
 * Workers KV, which all locations share. A location that asked in vain is told "not found" for a minute more, though
 * another one has written meanwhile: what it does not have yet, the search finds. A longer `cacheTtl` would make that
 * minute longer too; what was found is near from then on all the same, in the Cache API.
 * A key of ours can be longer than KV's 512 bytes, so its hash is the key.
 */
export function createKvCache(namespace: KVNamespace, log: Log): Cache {
  const name = (key: string) => `${key.split(' ', 1)[0]}:${sha256Hex(new TextEncoder().encode(key))}`;
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
        // One write a second and key is allowed; another isolate has just written the very same.
        log('warn', 'KV could not be written; going on without it', { reason: String(error) });
      }
    },
  };
}
