import { sha256Hex } from '../../../converters/digest.ts';
import type { Cache } from '../../cache/cache.ts';
import { decodeEntry, encodeEntry } from '../../cache/entry-codec.ts';
import type { Background } from '../../concurrency/background.ts';
import type { Log } from '../../observability/log.ts';
import { createPatientUse } from './patient-use.ts';

/** Lifetime of an entry in seconds; an entry can be made again. */
const lifeSeconds = 30 * 24 * 3600;

/**
 * The cache in Workers KV, which all locations share. A location that got "not found" gets it for a minute more,
 * although another one has written the entry meanwhile; the search finds it. A longer `cacheTtl` would lengthen that
 * minute, and the Cache API keeps found entries near anyway. A cache key may be longer than the 512 bytes of KV, so
 * its hash is the KV key.
 */
export function createKvCache(namespace: KVNamespace, log: Log, background: Background): Cache {
  const name = (key: string) => `${key.split(' ', 1)[0]}:${sha256Hex(key)}`;
  const read = createPatientUse('KV could not be read; going on without it', log);
  // KV allows one write a second per key: if one fails, another isolate may just have written the same entry.
  const write = createPatientUse('KV could not be written; going on without it', log, background);
  return {
    get: (key, budget) =>
      read(async () => {
        const bytes = await namespace.get(name(key), 'arrayBuffer');
        return bytes === null ? undefined : decodeEntry(new Uint8Array(bytes));
      }, budget),
    set: (key, entry, budget) =>
      write(async () => namespace.put(name(key), encodeEntry(entry), { expirationTtl: lifeSeconds }), budget),
  };
}
