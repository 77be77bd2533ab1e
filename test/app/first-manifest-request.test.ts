import { describe, expect, it } from 'vitest';
import { createSampleRegistry } from '../../src/sample-registry/registry.ts';
import { type TestApp, testApp } from '../support/app.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { type Script, scriptedUpstream, type Upstream } from '../support/scripted-upstream.ts';

const samples = createSampleRegistry();
const docker19 = manifestRequestHeaders['Docker 1.9.1'];
const docker113 = manifestRequestHeaders['Docker 1.13.1'];
const first = '/v2/sample/schema2/manifests/latest';
const latest = '/v2/sample/oci/manifests/latest';

/** The manifest responses of the sample registry, changed. */
const changed =
  (change: (response: Response) => Response): Script =>
  async ({ method, url }, { pathname }) =>
    pathname.includes('/manifests/') ? change(await samples.fetch(url, { method })) : undefined;

const without = (name: string) =>
  changed((response) => {
    response.headers.delete(name);
    return response;
  });

/** A proxy whose upstream has responded before, for another image. */
async function known(script?: Script): Promise<{ readonly app: TestApp; readonly upstream: Upstream }> {
  const upstream = scriptedUpstream(script);
  const app = testApp({}, upstream.fetch);
  expect((await app.get(first, docker19)).status).toBe(200);
  upstream.forget();
  return { app, upstream };
}

const manifests = ({ asked }: Upstream) => asked.filter((each) => each.includes('/manifests/'));

describe('the first request for a manifest', () => {
  it('sends HEAD to an upstream that has not responded yet: it may count pulls', async () => {
    const upstream = scriptedUpstream();
    await testApp({}, upstream.fetch).get(latest, docker19);
    expect(manifests(upstream)[0]).toBe(`HEAD ${latest}`);
  });

  it.each([
    ['by tag', (_digest: string) => latest],
    ['by digest', (digest: string) => latest.replace('latest', digest)],
  ])(
    'costs one GET to an upstream that counts no pulls, %s, and has the usual response',
    async (_, pathOf) => {
      const plain = testApp({}, scriptedUpstream().fetch);
      const source = (await plain.get(latest, docker19)).header('Regshift-Source-Digest') ?? '';
      for (const words of [docker113, { Accept: '*/*' }]) {
        const { app, upstream } = await known();
        const [asked, expected] = [
          await app.get(pathOf(source), words),
          await plain.get(pathOf(source), words),
        ];
        expect([asked.status, asked.body, [...asked.headers]]).toEqual([
          expected.status,
          expected.body,
          [...expected.headers],
        ]);
        expect(manifests(upstream)).toEqual([`GET ${pathOf(source)}`]);
      }
    },
  );

  it('sends HEAD once the manifest is cached', async () => {
    const upstream = scriptedUpstream();
    const app = testApp({ REGSHIFT_TAG_TTL: '0' }, upstream.fetch);
    for (const words of [docker19, docker113, [...docker113, ['Accept', 'a/b'] as const]]) {
      await app.get(first, docker19);
      await app.get(latest, words);
    }
    const [, ...then] = manifests(upstream).filter((each) => each.endsWith(latest));
    expect(then).toEqual([`HEAD ${latest}`, `HEAD ${latest}`]);
  });

  it('sends HEAD to an upstream that counts pulls', async () => {
    const counting = changed((response) => {
      response.headers.set('ratelimit-limit', '100;w=21600');
      return response;
    });
    const { app, upstream } = await known(counting);
    await app.get(latest, docker19);
    expect(manifests(upstream)[0]).toBe(`HEAD ${latest}`);
  });

  it('sends HEAD for a new login when upstream has counted the pulls of another login', async () => {
    const paying = 'Basic cGF5aW5nOnNlY3JldA==';
    const upstream = scriptedUpstream(async (request, { pathname }) => {
      const response = await samples.fetch(request.url, { method: request.method });
      const counted = request.headers.get('authorization') !== paying && pathname.includes('/manifests/');
      if (counted) response.headers.set('ratelimit-limit', '100;w=21600');
      return response;
    });
    const app = testApp({}, upstream.fetch);
    await app.get(first, docker19);
    await app.get('/v2/sample/list/manifests/latest', [...docker19, ['Authorization', paying]]);
    upstream.forget();
    await app.get(latest, [...docker19, ['Authorization', 'Basic b3RoZXI6c2VjcmV0']]);
    expect(manifests(upstream)[0]).toBe(`HEAD ${latest}`);
    upstream.forget();
    await app.get('/v2/sample/oci-no-history/manifests/latest', [...docker19, ['Authorization', paying]]);
    expect(manifests(upstream)[0]).toMatch(/^GET /);
  });

  it('sends GET only for a pull: a list of tags and a search send HEAD, because they resolve many tags', async () => {
    const { app, upstream } = await known();
    const madeUp = `sha256:${'0'.repeat(64)}`;
    expect((await app.get(latest.replace('latest', madeUp), docker19)).status).toBe(404);
    const byTag = upstream.asked.filter((each) => each.endsWith(latest));
    expect(byTag[0]).toBe(`HEAD ${latest}`);
  });

  it('computes the digest when upstream does not send it', async () => {
    const { app, upstream } = await known(without('docker-content-digest'));
    const response = await app.get(latest, docker113);
    const expected = await testApp().get(latest, docker113);
    expect([response.status, response.body]).toEqual([200, expected.body]);
    expect(manifests(upstream)).toEqual([`GET ${latest}`]);
  });

  it('fails, and caches nothing, when the bytes do not match the digest that upstream sends', async () => {
    const { app, upstream } = await known();
    upstream.follow(async ({ method }, { href }) => {
      const other = await samples.fetch(href.replace('sample/oci/', 'sample/oci-no-history/'), { method });
      const { headers } = await samples.fetch(href, { method });
      headers.delete('content-length');
      return new Response(other.body, { headers });
    });
    const wrong = await app.get(latest, docker19);
    expect([wrong.status, wrong.error().code]).toEqual([502, 'MANIFEST_INVALID']);
    upstream.follow();
    expect((await app.get(latest, docker19)).status).toBe(200);
  });

  it('gets the same 404 for a missing manifest as with HEAD', async () => {
    const { app } = await known();
    const absent = '/v2/sample/absent/manifests/latest';
    const { status, error } = await app.get(absent, docker19);
    expect([status, error().code]).toEqual([404, 'MANIFEST_UNKNOWN']);
  });
});
