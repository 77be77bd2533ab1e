import { sha256Hex } from '../../../converters/digest.ts';
import type { Cache as CachePort } from '../../cache/cache.ts';
import { decodeEntry, encodeEntry } from '../../cache/entry-codec.ts';
import type { Log } from '../../observability/log.ts';

/** Entries never change; the longest life that Cloudflare gives. */
const life = 'public, max-age=31536000, immutable';

/**
 * The Cache API of this location: near and quick, and written at once, unlike KV. Keys become synthetic addresses
 * under a name that nobody can ask the Worker for, and the cache is one of our own, so that no request ever finds an
 * entry without the program having proved the right to it.
 * @param open called for each entry: what the Cache API gives to one request is not for another one to use.
 */
export function createEdgeCache(open: () => Promise<Cache>, log: Log): CachePort {
  const address = (key: string) =>
    `https://cache.regshift.invalid/${sha256Hex(new TextEncoder().encode(key))}`;
  return {
    async get(key, budget) {
      budget?.spend();
      try {
        const found = await (await open()).match(address(key));
        return found && decodeEntry(new Uint8Array(await found.arrayBuffer()));
      } catch (error) {
        log('warn', 'the Cache API could not be read; going on without it', { reason: String(error) });
        return undefined;
      }
    },
    async set(key, entry, budget) {
      budget?.spend();
      try {
        const response = new Response(encodeEntry(entry), { headers: { 'Cache-Control': life } });
        await (await open()).put(address(key), response);
      } catch (error) {
        log('warn', 'the Cache API could not be written; going on without it', { reason: String(error) });
      }
    },
  };
}
