import { describe, expect, it } from 'vitest';
import { testApp } from '../support/app.ts';

const hex = 'a'.repeat(64);
const digest = `sha256:${hex}`;

/** An app whose upstream has nothing, and the paths that it is asked for. */
function routedApp() {
  const asked: string[] = [];
  const app = testApp({}, async (url) => {
    asked.push(new URL(url).pathname);
    return new Response(null, { status: 404 });
  });
  return { app, asked };
}

describe('a path of API v2', () => {
  it.each([
    ['/v2', 'ping'],
    ['/v2/', 'ping'],
    ['//v2/', 'ping'],
    ['/v2/a/manifests/latest', 'manifest', '/v2/a/manifests/latest'],
    ['//v2/a/manifests/1.0', 'manifest', '/v2/a/manifests/1.0'],
    [`/v2/a/b/c/manifests/${digest}`, 'manifest', `/v2/a/b/c/manifests/${digest}`],
    [`/v2/a/manifests/sha256%3A${hex}`, 'manifest', `/v2/a/manifests/${digest}`],
    [`/v2/a/manifests/sha256%3a${hex}`, 'manifest', `/v2/a/manifests/${digest}`],
    // Escapes are read once (Harbor's own pages and some clients escape the slash of a name).
    ['/v2/a%2Fb/manifests/latest', 'manifest', '/v2/a/b/manifests/latest'],
    [`/v2/a/blobs/${digest}`, 'blob', `/v2/a/blobs/${digest}`],
    [`/v2/a/blobs/sha512:${'b'.repeat(128)}`, 'blob', `/v2/a/blobs/sha512:${'b'.repeat(128)}`],
    ['/v2/a/tags/list', 'tags', '/v2/a/tags/list'],
    // docker-registry redirects this to the path without the slash.
    ['/v2/a/tags/list/', 'tags', '/v2/a/tags/list'],
    ['/v2/a/tags/list/?n=5', 'tags', '/v2/a/tags/list'],
    // A name may hold the words that divide a path.
    ['/v2/manifests/manifests/x', 'manifest', '/v2/manifests/manifests/x'],
    ['/v2/a/tags/list/tags/list', 'tags', '/v2/a/tags/list/tags/list'],
    ['/v2/a/blobs/b/manifests/x', 'manifest', '/v2/a/blobs/b/manifests/x'],
    ['/v2/a/blobs/uploads/tags/list', 'tags', '/v2/a/blobs/uploads/tags/list'],
    ['/v2/a/blobs/uploads/0b5c-1_2.3~=', 'upload', '/v2/a/blobs/uploads/0b5c-1_2.3~='],
    [`/v2/a/referrers/${digest}`, 'referrers', `/v2/a/referrers/${digest}`],
    ['/v2/_catalog', 'catalog', '/v2/_catalog'],
    ['/v2/_oci/ext/discover', 'extension', '/v2/_oci/ext/discover'],
    ['/v2/a/b/_oras/artifacts/referrers', 'extension', '/v2/a/b/_oras/artifacts/referrers'],
  ])('%s', async (path, resource, upstreamPath = '/v2/') => {
    const { app, asked } = routedApp();
    await app.get(path, { Accept: 'application/vnd.oci.image.manifest.v1+json' });
    const [line] = app.logged.filter(({ message }) => message === 'request');
    expect(line?.facts?.resource).toBe(resource);
    expect(asked).toContain(upstreamPath);
  });

  it.each(['/v2/a/b/blobs/uploads/', '/v2/a/b/blobs/uploads'])('%s', async (path) => {
    const { app, asked } = routedApp();
    await app.send('POST', path);
    expect(asked).toEqual(['/v2/a/b/blobs/uploads/']);
  });
});

describe('a path that asks for nothing', () => {
  it.each([
    ['/v2x/', 404, 'NAME_UNKNOWN', /nothing at/],
    ['/v2/a', 404, 'NAME_UNKNOWN', /nothing at/],
    ['/v2/manifests/latest', 404, 'NAME_UNKNOWN', /nothing at/],
    ['/v2/a/manifests/', 404, 'NAME_UNKNOWN', /nothing at/],
    ['/v2/a/tags/other', 404, 'NAME_UNKNOWN', /nothing at/],
    ['/v2/a/tags/list//', 404, 'NAME_UNKNOWN', /nothing at/],
    ['/v2/a/manifests/latest/', 404, 'NAME_UNKNOWN', /nothing at/],
    [`/v2/a/blobs/${digest}/`, 404, 'NAME_UNKNOWN', /nothing at/],
    ['/v2/_oci', 404, 'NAME_UNKNOWN', /nothing at/],
    ['/v2/_oci/ext', 404, 'NAME_UNKNOWN', /nothing at/],
    ['/v2/_oci/ext/discover/', 404, 'NAME_UNKNOWN', /nothing at/],
    ['/v2/_oci/ext/discover/more', 404, 'NAME_UNKNOWN', /nothing at/],
    ['/v2/_oci/%2e%2e/discover', 404, 'NAME_UNKNOWN', /nothing at/],
    ['/v2/_oci/ext%2Fdiscover/a/b', 404, 'NAME_UNKNOWN', /nothing at/],
    ['/v2/A/_oci/ext/discover', 400, 'NAME_INVALID', /"A" is not a repository name/],
    ['/v2/_catalog/', 404, 'NAME_UNKNOWN', /nothing at/],
    ['/token/', 404, 'NAME_UNKNOWN', /nothing at/],
    ['/healthz/', 404, 'NAME_UNKNOWN', /nothing at/],
    ['//healthz', 404, 'NAME_UNKNOWN', /nothing at/],
    ['//', 404, 'NAME_UNKNOWN', /nothing at/],
    ['/v2/a/blobs/uploads/u/', 404, 'NAME_UNKNOWN', /nothing at/],
    ['/v2/a/blobs/uploads/%2e%2e%2fb', 404, 'BLOB_UPLOAD_UNKNOWN', /is no upload that was begun here/],
    ['/v2/a/blobs/uploads/u/more', 404, 'NAME_UNKNOWN', /nothing at/],
    ['/v2/a/referrers/latest', 400, 'DIGEST_INVALID', /"latest" is not a digest/],
    ['/v2/A/manifests/latest', 400, 'NAME_INVALID', /"A" is not a repository name: parts of lower-case/],
    ['/v2/a/%2e%2e%2fb/tags/list', 400, 'NAME_INVALID', /"a\/\.\.\/b" is not a repository name/],
    ['/v2/a%252fb/tags/list', 400, 'NAME_INVALID', /"a%2fb" is not/],
    ['/v2/a%zz/tags/list', 400, 'NAME_INVALID', /"a%zz" is not/],
    [`/v2/${'a/'.repeat(128)}a/tags/list`, 400, 'NAME_INVALID', /255 characters/],
    ['/v2/a/manifests/-x', 404, 'MANIFEST_UNKNOWN', /"-x" is neither a tag nor a digest/],
    ['/v2/a/manifests/sha256:12', 400, 'DIGEST_INVALID', /"sha256:12" is neither a tag nor a digest/],
    ['/v2/a/blobs/sha256:12', 400, 'DIGEST_INVALID', /"sha256:12" is not a digest: sha256: and 64/],
    ['/v2/a/blobs/latest', 400, 'DIGEST_INVALID', /"latest" is not a digest/],
    ['/v2/a/blobs/blake3:12', 400, 'DIGEST_INVALID', /"blake3:12" is a digest of an algorithm that regshift/],
    ['/v2/a/manifests/blake3:12', 400, 'DIGEST_INVALID', /"blake3:12" is a digest of an algorithm that/],
    ['/v2/a/referrers/blake3:12', 400, 'DIGEST_INVALID', /"blake3:12" is a digest of an algorithm that/],
  ])('%s: %i %s', async (path, status, code, message) => {
    const { app, asked } = routedApp();
    const answer = await (path.includes('/uploads/') ? app.send('PATCH', path) : app.get(path));
    expect([answer.status, answer.error().code]).toEqual([status, code]);
    expect(answer.error().message).toMatch(message);
    expect(asked).toEqual([]);
  });

  it('an upload begins with POST', async () => {
    const answer = await routedApp().app.send('POST', '/v2/A/blobs/uploads/');
    expect([answer.status, answer.error().code]).toEqual([400, 'NAME_INVALID']);
  });

  it('is quoted in part only', async () => {
    const answer = await routedApp().app.get(`/${'x'.repeat(5000)}`);
    expect(answer.error().message).toMatch(/^.{0,260}$/);
  });
});

describe('a path of API v1', () => {
  it.each([
    '/v1/_ping/',
    '/v1/repositories/sample/oci/tags/',
    '/v1ctx',
    '/v1ctx/',
    '/v1ctx/x',
    '/v1ctx//v1/_ping',
  ])('%s: 404', async (path) => {
    const answer = await routedApp().app.get(path);
    expect([answer.status, JSON.parse(answer.text()).error]).toEqual([
      404,
      expect.stringMatching(/^There is nothing at .* in registry API v1\.$/),
    ]);
  });

  it('a method that writes is refused as before', async () => {
    const answer = await routedApp().app.send('POST', '/v1/_ping');
    expect([answer.status, answer.header('Allow'), JSON.parse(answer.text()).error]).toEqual([
      405,
      'GET, HEAD',
      'POST is not served here: regshift only reads.',
    ]);
  });
});

describe('a push by API v1', () => {
  const id = 'a'.repeat(64);
  it.each([
    '/v1/repositories/team/app/',
    '/v1/repositories/app/',
    '/v1/repositories/team/app/images',
    '/v1/repositories/team/app/tags/latest',
    `/v1/images/${id}/json`,
    `/v1/images/${id}/layer`,
    `/v1/images/${id}/checksum`,
  ])('PUT %s: refused in words for the user of an old Docker', async (path) => {
    const answer = await routedApp().app.send('PUT', path, { 'User-Agent': 'docker/1.4.1 go/go1.3.3' });
    expect([answer.status, answer.header('Allow'), JSON.parse(answer.text()).error]).toEqual([
      405,
      'GET, HEAD',
      expect.stringMatching(/^Nothing can be pushed by registry API v1.* Push with Docker 1\.6 or later\.$/),
    ]);
  });
});

describe('a push by Docker 1.5', () => {
  it('is refused at the check of its first layer, whose status Docker prints', async () => {
    const path = `/v2/team/app/blobs/tarsum.v1+sha256:${'a'.repeat(64)}`;
    const answer = await routedApp().app.head(path, { 'User-Agent': 'docker/1.5.0 go/go1.4.1' });
    expect(answer.status).toBe(400);
  });
});

describe('a client without a login', () => {
  it.each(['//', '//healthz', '/healthz/', '/readyz/', '/v1ctx', '/v1ctx/x', '/v2/x', '/other'])(
    '%s: 401, whether the path exists or not',
    async (path) => {
      const app = testApp(
        {
          REGSHIFT_UPSTREAM_AUTH: 'anonymous',
          REGSHIFT_CLIENT_AUTH: 'jwt',
          REGSHIFT_JWT_ISSUER: 'https://issuer.test',
          REGSHIFT_JWT_AUDIENCE: 'regshift',
          // The key of RFC 7517, appendix A.1.
          REGSHIFT_JWKS: JSON.stringify({
            keys: [
              {
                kty: 'EC',
                crv: 'P-256',
                x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
                y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM',
              },
            ],
          }),
        },
        async () => new Response(null, { status: 404 }),
      );
      expect((await app.get(path)).status).toBe(401);
    },
  );
});
