import { describe, expect, it } from 'vitest';
import { testApp, upstreamUrl } from '../support/app.ts';
import { layersOf } from '../support/pull.ts';
import { type Script, scriptedUpstream, specError } from '../support/scripted-upstream.ts';

const manifest = await testApp().get('/v2/sample/oci/manifests/latest', { Accept: '*/*' });
const path = `/v2/sample/oci/blobs/${layersOf(manifest.body)[0]}`;
const whole = (await testApp().get(path)).body;
const isBlob = (url: URL) => url.pathname === path;

describe('a registry that refuses every HEAD of a blob', () => {
  it.each([401, 403, 405])('with %i is asked for its length by GET', async (status) => {
    const script: Script = (request, url) =>
      isBlob(url) && request.method === 'HEAD' ? specError(status, 'UNAUTHORIZED') : undefined;
    for (const blobs of ['stream', 'redirect']) {
      const app = testApp({ REGSHIFT_BLOBS: blobs }, scriptedUpstream(script).fetch);
      const answer = await app.head(path);
      expect([answer.status, answer.header('Content-Length')]).toEqual([200, String(whole.length)]);
      expect(answer.body).toHaveLength(0);
    }
  });

  it.each([401, 403])('because it refuses this client altogether, with %i, is believed', async (status) => {
    const app = testApp(
      {},
      scriptedUpstream((_, url) => (isBlob(url) ? specError(status, 'DENIED') : undefined)).fetch,
    );
    expect((await app.head(path)).status).toBe(status);
  });
});

describe('a redirect that REGSHIFT_BLOBS=redirect would hand on', () => {
  const redirecting =
    (location: string): Script =>
    (_, url) => {
      if (isBlob(url)) return new Response(null, { status: 307, headers: { location } });
      return url.pathname === '/elsewhere' ? new Response(whole.slice()) : undefined;
    };
  const get = (location: string) =>
    testApp({ REGSHIFT_BLOBS: 'redirect' }, scriptedUpstream(redirecting(location)).fetch).get(path);

  it.each(['/elsewhere', '../../../../elsewhere', `${upstreamUrl}/elsewhere`])(
    'and that stays with the registry (%s) is followed, for it may want the login again',
    async (location) => {
      const answer = await get(location);
      expect(answer.status).toBe(200);
      expect(answer.body).toEqual(whole);
    },
  );

  it.each([
    ['https://storage.test/a%2fb?signature=A%2b/', 'https://storage.test/a%2fb?signature=A%2b/'],
    ['//storage.test/blob', 'http://storage.test/blob'],
  ])('and that leads away (%s) is handed on as a full URL, spelt as it was', async (location, told) => {
    const answer = await get(location);
    expect([answer.status, answer.header('Location')]).toEqual([307, told]);
  });
});

describe('416', () => {
  it('is given without the length of the whole, which docker-registry 2.8.2 says of the words it sends', async () => {
    const lying = { 'Content-Range': `bytes */${whole.length}`, 'Content-Length': String(whole.length) };
    const script: Script = (_, url) =>
      isBlob(url)
        ? new Response('invalid range: failed to overlap\n', { status: 416, headers: lying })
        : undefined;
    const answer = await testApp({}, scriptedUpstream(script).fetch).get(path, { Range: 'bytes=99999-' });
    expect([answer.status, answer.header('Content-Length')]).toEqual([416, '0']);
    expect(answer.header('Content-Range')).toBe(`bytes */${whole.length}`);
    expect(answer.body).toHaveLength(0);
  });
});
