import { sha256Hex } from '../../../converters/digest.ts';
import type { Cache as CachePort } from '../../cache/cache.ts';
import { decodeEntry, encodeEntry } from '../../cache/entry-codec.ts';
import type { Background } from '../../concurrency/background.ts';
import type { Log } from '../../observability/log.ts';
import { createPatientUse } from './patient-use.ts';

/** Entries never change, so they get the longest life that Cloudflare allows. */
const life = 'public, max-age=31536000, immutable';

/**
 * The cache of this location, in the Cache API: near, fast, and written at once, unlike KV. Keys become synthetic
 * addresses under a host that no client can request, and the cache has its own name, so that a request never gets an
 * entry without a check of its right.
 * @param open called for each entry: a cache object of one request must not serve another one.
 */
export function createEdgeCache(
  open: () => Promise<Pick<Cache, 'match' | 'put'>>,
  log: Log,
  background: Background,
): CachePort {
  const address = (key: string) => `https://cache.regshift.invalid/${sha256Hex(key)}`;
  const read = createPatientUse('the Cache API could not be read; going on without it', log);
  const write = createPatientUse('the Cache API could not be written; going on without it', log, background);
  return {
    get: (key, budget) =>
      read(async () => {
        const found = await (await open()).match(address(key));
        return found && decodeEntry(new Uint8Array(await found.arrayBuffer()));
      }, budget),
    set: (key, entry, budget) =>
      write(async () => {
        const response = new Response(encodeEntry(entry), { headers: { 'Cache-Control': life } });
        await (await open()).put(address(key), response);
      }, budget),
  };
}
