import { describe, expect, it } from 'vitest';
import type { CacheEntry } from '../../src/cache/cache.ts';
import type { Tier } from '../../src/cache/tiered.ts';
import { testApp } from '../support/app.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { scriptedUpstream } from '../support/scripted-upstream.ts';

const docker19 = manifestRequestHeaders['Docker 1.9.1'];
const docker20 = manifestRequestHeaders['Docker 20.10'];

/** A cache tier that replicas share. */
function sharedTier(): Tier & { readonly entries: Map<string, CacheEntry> } {
  const entries = new Map<string, CacheEntry>();
  const cache = {
    get: async (key: string) => entries.get(key),
    set: async (key: string, entry: CacheEntry) => void entries.set(key, entry),
  };
  return { name: 'shared', cache, accepts: (key) => /^(?:recipe|layer-facts) /.test(key), entries };
}

describe('a recipe in a shared cache', () => {
  it('leads another replica to the digest, without a search', async () => {
    const shared = sharedTier();
    const upstream = scriptedUpstream();
    const one = testApp({}, upstream.fetch, { tiers: [shared] });
    const digest = (await one.head('/v2/sample/oci/manifests/latest', docker19)).header(
      'Docker-Content-Digest',
    );
    upstream.forget();
    const other = testApp({}, upstream.fetch, { tiers: [shared] });
    expect((await other.get(`/v2/sample/oci/manifests/${digest}`, docker19)).status).toBe(200);
    expect(upstream.asked.filter((each) => each.includes('/tags/list'))).toEqual([]);
  });

  it('of another converter version is not used: its bytes may differ', async () => {
    const shared = sharedTier();
    const upstream = scriptedUpstream();
    const one = testApp({}, upstream.fetch, { tiers: [shared] });
    const first = await one.get('/v2/sample/oci/manifests/latest', docker19);
    for (const [key, entry] of shared.entries) {
      const recipe = { ...(entry.facts.recipe as object), converters: 0, form: 'schema2' };
      shared.entries.set(key, { ...entry, facts: { recipe } });
    }
    const other = testApp({}, upstream.fetch, { tiers: [shared] });
    const path = `/v2/sample/oci/manifests/${first.header('Docker-Content-Digest')}`;
    const again = await other.get(path, docker19);
    expect([again.status, again.header('Docker-Content-Digest')]).toEqual([
      200,
      first.header('Docker-Content-Digest'),
    ]);
    expect(again.header('Regshift-Conversion')).toContain('-> schema1');
  });

  it('that a cache has evicted is stored again when its manifest is sent again: for each layer', async () => {
    const shared = sharedTier();
    const upstream = scriptedUpstream();
    const app = testApp({}, upstream.fetch, { tiers: [shared] });
    const get = () => app.get('/v2/sample/oci-zstd/manifests/latest', docker20);
    expect((await get()).status).toBe(200);
    const all = [...shared.entries.keys()].filter((key) => key.startsWith('recipe '));
    expect(all.length).toBeGreaterThan(2);
    // This tier stores entries of all kinds: the shared cache then has the manifest too, and can lose a recipe alone.
    const forgetful = testApp({}, upstream.fetch, { tiers: [{ ...shared, accepts: () => true }] });
    expect((await forgetful.get('/v2/sample/oci-zstd/manifests/latest', docker20)).status).toBe(200);
    const last = all.at(-1) ?? '';
    shared.entries.delete(last);
    const third = testApp({}, upstream.fetch, { tiers: [{ ...shared, accepts: () => true }] });
    expect((await third.get('/v2/sample/oci-zstd/manifests/latest', docker20)).status).toBe(200);
    expect(shared.entries.has(last)).toBe(true);
  });
});

describe('without memory (REGSHIFT_CACHE_BYTES=0)', () => {
  it.each([
    ['sample/oci', docker19],
    ['sample/index', manifestRequestHeaders['Docker 1.13.1']],
    ['sample/oci-zstd', docker20],
  ])('the converted manifest of %s is available by its digest', async (sample, headers) => {
    const app = testApp({ REGSHIFT_CACHE_BYTES: '0' }, scriptedUpstream().fetch);
    const digest = (await app.head(`/v2/${sample}/manifests/latest`, headers)).header(
      'Docker-Content-Digest',
    );
    const response = await app.get(`/v2/${sample}/manifests/${digest}`, headers);
    expect([response.status, response.header('Docker-Content-Digest')]).toEqual([200, digest]);
  });
});

describe('a HEAD of a converted digest', () => {
  it('checks the access right upstream, and fetches nothing that another replica has converted already', async () => {
    const shared = { ...sharedTier(), accepts: (key: string) => /^(?:recipe|product) /.test(key) };
    const upstream = scriptedUpstream();
    const one = testApp({}, upstream.fetch, { tiers: [shared] });
    const digest = (await one.head('/v2/sample/oci/manifests/latest', docker19)).header(
      'Docker-Content-Digest',
    );
    upstream.forget();
    const other = testApp({}, upstream.fetch, { tiers: [shared] });
    expect((await other.head(`/v2/sample/oci/manifests/${digest}`, docker19)).status).toBe(200);
    expect(upstream.asked).toEqual([expect.stringMatching(/^HEAD .*manifests/)]);
  });
});
