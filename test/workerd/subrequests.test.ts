import { afterEach, describe, expect, test, vi } from 'vitest';
import { largeIndex } from '../support/large-index.ts';
import { manyTags } from '../support/many-tags.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { type Script, scriptedUpstream } from '../support/scripted-upstream.ts';
import { behind, isolate, moveToAnotherLocation } from './isolate.ts';

const docker19 = manifestRequestHeaders['Docker 1.9.1'];
const docker113 = manifestRequestHeaders['Docker 1.13.1'];
const latest = '/v2/team/app/manifests/latest';

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

/** A new isolate with empty caches. It counts all subrequests of the Worker. */
function counted(script: Script | undefined, settings: Record<string, string>) {
  const upstream = scriptedUpstream(script);
  let operations = 0;
  const store = new Map<string, ArrayBuffer>();
  const keep = async (key: string, value: ArrayBuffer) => {
    operations += 1;
    store.set(key, value);
  };
  const find = async (key: string) => {
    operations += 1;
    return store.get(key);
  };
  const cache = {
    match: async (url: string) => {
      const found = await find(url);
      return found && new Response(found);
    },
    put: async (url: string, response: Response) => keep(url, await response.arrayBuffer()),
  };
  vi.spyOn(caches, 'open').mockResolvedValue(cache as unknown as Cache);
  const RECIPES = { get: async (key: string) => (await find(key)) ?? null, put: keep };
  const ask = isolate({ RECIPES, ...behind(upstream.fetch), ...settings });
  return {
    ask,
    /** Subrequests as Cloudflare counts them: to the network, to the Cache API and to KV. */
    subrequests: () => operations + upstream.asked.length + upstream.probed.length,
  };
}

describe('a budget of requests', () => {
  test('counts requests to caches too, and is never exceeded', async () => {
    const { ask, subrequests } = counted(largeIndex('team/app', 40), { REGSHIFT_SUBREQUESTS: '45' });
    const answer = await ask(latest, docker113);
    expect(answer.status).toBe(404);
    expect(await answer.text()).toContain('REGSHIFT_SUBREQUESTS');
    expect(subrequests()).toBe(45);
  });

  test('is 1000 by default', async () => {
    const { ask, subrequests } = counted(largeIndex('team/app', 300), {});
    const answer = await ask(latest, docker113);
    expect(await answer.text()).toContain('more than 1000 requests');
    // Recipes are written in parallel, and those beyond the budget are not written.
    expect(subrequests()).toBeLessThanOrEqual(1000);
  });

  // These figures are in deploy/cloudflare.md: those of the response, and after it one for each of two layers and four for
  // what they say about the image.
  test.each([
    ['one image as schema 1', undefined, '/v2/sample/oci/manifests/latest', docker19, 13 + 2 + 4],
    ['one image as schema 2', undefined, '/v2/sample/oci/manifests/latest', docker113, 10 + 2 + 4],
    ['an index of 7 images', largeIndex('team/app', 7), latest, docker113, 48],
  ] as const)('for %s, the first time', async (_, script, path, headers, expected) => {
    const { ask, subrequests } = counted(script, { REGSHIFT_SUBREQUESTS: '48' });
    expect((await ask(path, headers)).status).toBe(200);
    await vi.waitFor(() => expect(subrequests()).toBeGreaterThanOrEqual(expected));
    expect(subrequests()).toBe(expected);
  });

  test('for a cached image is one HEAD', async () => {
    const { ask, subrequests } = counted(undefined, { REGSHIFT_TAG_TTL: '0' });
    await ask('/v2/sample/oci/manifests/latest', docker19);
    await vi.waitFor(() => expect(subrequests()).toBeGreaterThanOrEqual(19));
    const before = subrequests();
    expect((await ask('/v2/sample/oci/manifests/latest', docker19)).status).toBe(200);
    expect(subrequests() - before).toBe(1);
  });
});

// Cloudflare keeps responses by the end of their path, whatever their request accepts ("Default cache behavior").
test('no request to the registry is answered by the cache of Cloudflare', async () => {
  const modes: [path: string, mode: string | undefined][] = [];
  const upstream = scriptedUpstream(manyTags('team/app', { '1.0.zip': 'sample/oci' }));
  const ask = isolate(
    behind((url, init) => {
      modes.push([new URL(url).pathname, init.cache]);
      return upstream.fetch(url, init);
    }),
  );
  moveToAnotherLocation();
  expect((await ask('/v2/team/app/manifests/1.0.zip', docker113)).status).toBe(200);
  await vi.waitFor(() => expect(upstream.probed).toHaveLength(2));
  expect(modes.map(([path]) => path)).toContain('/v2/team/app/manifests/1.0.zip');
  expect(modes.filter(([, mode]) => mode !== 'no-store')).toEqual([]);
});
