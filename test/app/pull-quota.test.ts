import { describe, expect, it } from 'vitest';
import { testApp } from '../support/app.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { countingPulls, type Script, scriptedUpstream } from '../support/scripted-upstream.ts';

const docker19 = manifestRequestHeaders['Docker 1.9.1'];
const docker113 = manifestRequestHeaders['Docker 1.13.1'];
const madeUp = `sha256:${'0'.repeat(64)}`;

const pulls = (asked: readonly string[]) => asked.filter((each) => /^GET .*\/manifests\//.test(each));

/** Docker Hub counts each GET of a manifest: requests for unknown digests must not use up the pulls of others. */
describe('an unknown digest, when upstream counts pulls,', () => {
  it.each(['manifests', 'blobs'])('costs no pull at a proxy with an empty cache: %s', async (kind) => {
    const upstream = scriptedUpstream(countingPulls);
    const app = testApp({}, upstream.fetch);
    expect((await app.get(`/v2/sample/oci/${kind}/${madeUp}`, docker19)).status).toBe(404);
    expect(pulls(upstream.asked)).toEqual([]);
  });

  it.each([
    ['one of its images', docker19],
    ['the index alone', { Accept: '*/*' }],
  ])('costs no pull of an index when %s is cached', async (_, headers) => {
    const upstream = scriptedUpstream(countingPulls);
    const app = testApp({}, upstream.fetch);
    expect((await app.get('/v2/sample/index/manifests/latest', headers)).status).toBe(200);
    upstream.forget();
    for (const client of [docker19, docker113]) {
      expect((await app.get(`/v2/sample/index/manifests/${madeUp}`, client)).status).toBe(404);
    }
    expect(pulls(upstream.asked)).toEqual([]);
  });

  it('costs at most REGSHIFT_WALK_GETS pulls', async () => {
    const upstream = scriptedUpstream(countingPulls);
    const app = testApp({ REGSHIFT_WALK_GETS: '1' }, upstream.fetch);
    expect((await app.get(`/v2/sample/oci/manifests/${madeUp}`, docker19)).status).toBe(404);
    expect(pulls(upstream.asked)).toHaveLength(1);
  });
});

describe('the digest of a converted manifest, when upstream counts pulls,', () => {
  it.each([
    ['schema 1', docker19, {}],
    ['a list', docker113, { REGSHIFT_LISTS: 'full' }],
  ])('is found again without a pull when its sources are cached: %s', async (_, headers, variables) => {
    const upstream = scriptedUpstream(countingPulls);
    const converted = await testApp(variables, upstream.fetch).get('/v2/sample/index/manifests/1.0', headers);
    const digest = converted.header('Docker-Content-Digest');
    const app = testApp({ ...variables, REGSHIFT_TAG_TTL: '0' }, upstream.fetch);
    await app.get('/v2/sample/index/manifests/latest', headers);
    upstream.forget();
    const again = await app.get(`/v2/sample/index/manifests/${digest}`, headers);
    expect([again.status, again.header('Docker-Content-Digest')]).toEqual([200, digest]);
    expect(pulls(upstream.asked)).toEqual([]);
  });
});

describe('whether upstream counts pulls', () => {
  const paying = ['Authorization', 'Basic cGF5aW5nOnNlY3JldA=='] as const;
  const alice = ['Authorization', 'Basic YWxpY2U6c2VjcmV0'] as const;

  /** Docker Hub sends no limit to paid accounts. */
  const countingOthers: Script = async (request, url) =>
    request.headers.get('authorization') === paying[1] ? undefined : countingPulls(request, url);

  it('is known per login: the images of an index are fetched for a login without a limit alone', async () => {
    const upstream = scriptedUpstream(countingOthers);
    const app = testApp({}, upstream.fetch);
    const typeFor = async (login: readonly [string, string]) =>
      (await app.get('/v2/sample/index/manifests/latest', [...docker113, login])).header('Content-Type');
    for (const _ of [1, 2]) {
      expect(await typeFor(alice)).toContain('manifest.v2+json');
      expect(await typeFor(paying)).toContain('manifest.list.v2+json');
    }
  });
});
