import { describe, expect, it } from 'vitest';
import { testApp, upstreamUrl } from '../support/app.ts';
import { layersOf } from '../support/pull.ts';
import { type Script, scriptedUpstream, specError } from '../support/scripted-upstream.ts';

const manifest = await testApp().get('/v2/sample/oci/manifests/latest', { Accept: '*/*' });
const path = `/v2/sample/oci/blobs/${layersOf(manifest.body)[0]}`;
const whole = (await testApp().get(path)).body;
const isBlob = (url: URL) => url.pathname === path;

describe('a registry that refuses every HEAD of a blob', () => {
  it.each([401, 403, 405])('with %i gets a GET for the length', async (status) => {
    const script: Script = (request, url) =>
      isBlob(url) && request.method === 'HEAD' ? specError(status, 'UNAUTHORIZED') : undefined;
    for (const blobs of ['stream', 'redirect']) {
      const app = testApp({ REGSHIFT_BLOBS: blobs }, scriptedUpstream(script).fetch);
      const response = await app.head(path);
      expect([response.status, response.header('Content-Length')]).toEqual([200, String(whole.length)]);
      expect(response.body).toHaveLength(0);
    }
  });

  it.each([401, 403])('with %i, and every GET too: the refusal is passed on', async (status) => {
    const app = testApp(
      {},
      scriptedUpstream((_, url) => (isBlob(url) ? specError(status, 'DENIED') : undefined)).fetch,
    );
    expect((await app.head(path)).status).toBe(status);
  });
});

describe('a redirect with REGSHIFT_BLOBS=redirect', () => {
  const redirecting =
    (location: string): Script =>
    (_, url) => {
      if (isBlob(url)) return new Response(null, { status: 307, headers: { location } });
      return url.pathname === '/elsewhere' ? new Response(whole.slice()) : undefined;
    };
  const get = (location: string) =>
    testApp({ REGSHIFT_BLOBS: 'redirect' }, scriptedUpstream(redirecting(location)).fetch).get(path);

  it.each(['/elsewhere', '../../../../elsewhere', `${upstreamUrl}/elsewhere`])(
    'within the registry (%s) is followed, because the registry may require the login again',
    async (location) => {
      const response = await get(location);
      expect(response.status).toBe(200);
      expect(response.body).toEqual(whole);
    },
  );

  it.each([
    ['https://storage.test/a%2fb?signature=A%2b/', 'https://storage.test/a%2fb?signature=A%2b/'],
    ['//storage.test/blob', 'http://storage.test/blob'],
  ])(
    'to another host (%s) is passed on as an absolute URL, with its spelling',
    async (location, absolute) => {
      const response = await get(location);
      expect([response.status, response.header('Location')]).toEqual([307, absolute]);
    },
  );
});

describe('a 416 of upstream', () => {
  it('is passed on without the blob’s length as Content-Length, which docker-registry 2.8.2 sends with an error text', async () => {
    const lying = { 'Content-Range': `bytes */${whole.length}`, 'Content-Length': String(whole.length) };
    const script: Script = (_, url) =>
      isBlob(url)
        ? new Response('invalid range: failed to overlap\n', { status: 416, headers: lying })
        : undefined;
    const response = await testApp({}, scriptedUpstream(script).fetch).get(path, { Range: 'bytes=99999-' });
    expect([response.status, response.header('Content-Length')]).toEqual([416, '0']);
    expect(response.header('Content-Range')).toBe(`bytes */${whole.length}`);
    expect(response.body).toHaveLength(0);
  });
});
