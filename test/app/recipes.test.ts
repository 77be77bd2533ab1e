import { describe, expect, it } from 'vitest';
import type { CacheEntry } from '../../src/cache/cache.ts';
import type { Tier } from '../../src/cache/tiered.ts';
import { testApp } from '../support/app.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { scriptedUpstream } from '../support/scripted-upstream.ts';

const docker19 = manifestRequestHeaders['Docker 1.9.1'];
const docker20 = manifestRequestHeaders['Docker 20.10'];

/** A cache that replicas share. */
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

  it('of other converters is not followed: they may make other bytes', async () => {
    const shared = sharedTier();
    const upstream = scriptedUpstream();
    const one = testApp({}, upstream.fetch, { tiers: [shared] });
    const given = await one.get('/v2/sample/oci/manifests/latest', docker19);
    for (const [key, entry] of shared.entries) {
      const recipe = { ...(entry.facts.recipe as object), converters: 0, form: 'schema2' };
      shared.entries.set(key, { ...entry, facts: { recipe } });
    }
    const other = testApp({}, upstream.fetch, { tiers: [shared] });
    const path = `/v2/sample/oci/manifests/${given.header('Docker-Content-Digest')}`;
    const again = await other.get(path, docker19);
    expect([again.status, again.header('Docker-Content-Digest')]).toEqual([
      200,
      given.header('Docker-Content-Digest'),
    ]);
    expect(again.header('Regshift-Conversion')).toContain('-> schema1');
  });

  it('that a cache has dropped is put back when its product is given again: each layer of it', async () => {
    const shared = sharedTier();
    const upstream = scriptedUpstream();
    const app = testApp({}, upstream.fetch, { tiers: [shared] });
    const get = () => app.get('/v2/sample/oci-zstd/manifests/latest', docker20);
    expect((await get()).status).toBe(200);
    const all = [...shared.entries.keys()].filter((key) => key.startsWith('recipe '));
    expect(all.length).toBeGreaterThan(2);
    // What a replica knows that gave the manifest long ago: the manifest, and none of its recipes.
    const forgetful = testApp({}, upstream.fetch, { tiers: [{ ...shared, accepts: () => true }] });
    expect((await forgetful.get('/v2/sample/oci-zstd/manifests/latest', docker20)).status).toBe(200);
    const last = all.at(-1) ?? '';
    shared.entries.delete(last);
    const third = testApp({}, upstream.fetch, { tiers: [{ ...shared, accepts: () => true }] });
    expect((await third.get('/v2/sample/oci-zstd/manifests/latest', docker20)).status).toBe(200);
    expect(shared.entries.has(last)).toBe(true);
  });
});

describe('with no memory at all (REGSHIFT_CACHE_BYTES=0)', () => {
  it.each([
    ['sample/oci', docker19],
    ['sample/index', manifestRequestHeaders['Docker 1.13.1']],
    ['sample/oci-zstd', docker20],
  ])('what is given of %s can be fetched by its digest', async (sample, headers) => {
    const app = testApp({ REGSHIFT_CACHE_BYTES: '0' }, scriptedUpstream().fetch);
    const told = (await app.head(`/v2/${sample}/manifests/latest`, headers)).header('Docker-Content-Digest');
    const answer = await app.get(`/v2/${sample}/manifests/${told}`, headers);
    expect([answer.status, answer.header('Docker-Content-Digest')]).toEqual([200, told]);
  });
});

describe('a HEAD of a digest that was made', () => {
  it('asks upstream for the right to it, and fetches nothing of what another replica has made already', async () => {
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
