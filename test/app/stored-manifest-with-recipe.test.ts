import { expect, it } from 'vitest';
import type { CacheEntry } from '../../src/cache/cache.ts';
import { kindOf } from '../../src/registry/cache-entries.ts';
import { testApp } from '../support/app.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { scriptedUpstream, specError } from '../support/scripted-upstream.ts';

const docker19 = manifestRequestHeaders['Docker 1.9.1'];
const manifests = '/v2/sample/oci/manifests';

/** A replica that knows the recipes of another one, and has made nothing itself. */
async function withRecipe() {
  const entries = new Map<string, CacheEntry>();
  const cache = {
    get: async (key: string) => entries.get(key),
    set: async (key: string, entry: CacheEntry) => void entries.set(key, entry),
  };
  const tiers = [{ name: 'shared', cache, accepts: (key: string) => kindOf(key) === 'recipe' }];
  const made = await testApp({}, scriptedUpstream().fetch, { tiers }).get(`${manifests}/latest`, docker19);
  expect(made.status).toBe(200);
  const digest = made.header('Docker-Content-Digest') ?? '';
  const type = made.header('Content-Type') ?? '';
  const byDigest = `${manifests}/${digest}`;
  const upstream = scriptedUpstream();
  return { made, digest, type, byDigest, upstream, app: testApp({}, upstream.fetch, { tiers }) };
}

it('a stored manifest is served where the recipe of the same digest fails', async () => {
  const { made, digest, type, byDigest, upstream, app } = await withRecipe();
  upstream.follow((_, { pathname }) => {
    if (pathname.includes('/blobs/')) return specError(404, 'BLOB_UNKNOWN');
    if (pathname !== byDigest) return undefined;
    return new Response(made.body.slice(), {
      headers: { 'Content-Type': type, 'Docker-Content-Digest': digest },
    });
  });
  const response = await app.get(byDigest, docker19);
  expect([response.status, response.body]).toEqual([200, made.body]);
});

it('the failure of a recipe is the answer where the registry does not have the manifest itself', async () => {
  const { byDigest, upstream, app } = await withRecipe();
  upstream.follow((_, { pathname }) =>
    pathname.includes('/blobs/') ? specError(404, 'BLOB_UNKNOWN') : undefined,
  );
  const response = await app.get(byDigest, docker19);
  expect([response.status, response.error().code]).toEqual([404, 'UNSUPPORTED']);
});
