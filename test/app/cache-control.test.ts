import { describe, expect, it } from 'vitest';
import { cacheControl } from '../../src/http/cache-control.ts';
import { testApp } from '../support/app.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { privateTo, type Script, scriptedUpstream } from '../support/scripted-upstream.ts';

const alice = 'Basic YWxpY2U6c2VjcmV0';
const headers = [...manifestRequestHeaders['Docker 1.13.1'], ['Authorization', alice]] as const;
const anyone = manifestRequestHeaders['Docker 1.13.1'];

/** The Cache-Control of all responses of a pull: stored and converted manifests, stored and decompressed layers. */
async function headersOfPull(
  script: Script | undefined,
  asked: typeof anyone,
  variables = {},
): Promise<(string | null)[]> {
  const app = testApp(variables, scriptedUpstream(script).fetch);
  const responses = [];
  for (const sample of ['sample/schema2', 'sample/oci-zstd', 'sample/index']) {
    const tag = `/v2/${sample}/manifests/latest`;
    const manifest = await app.get(tag, asked);
    const known = ['If-None-Match', manifest.header('ETag') ?? ''] as const;
    responses.push(manifest, await app.head(tag, asked), await app.get(tag, [...asked, known]));
    const { layers = [], manifests = [] } = JSON.parse(manifest.text()) as Record<
      string,
      { digest: string }[]
    >;
    for (const { digest } of manifests)
      responses.push(await app.get(`/v2/${sample}/manifests/${digest}`, asked));
    for (const { digest } of layers) {
      const path = `/v2/${sample}/blobs/${digest}`;
      responses.push(await app.get(path, asked), await app.head(path, asked));
      responses.push(await app.get(path, [...asked, ['Range', 'bytes=1-2']]));
      responses.push(await app.get(path, [...asked, ['If-None-Match', `"${digest}"`]]));
    }
  }
  expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([200, 206, 304]));
  return responses.map((response) => response.header('Cache-Control'));
}

describe('Cache-Control', () => {
  it('forbids caches to change content with a digest', async () => {
    expect(new Set(await headersOfPull(undefined, anyone))).toEqual(new Set(['no-transform']));
  });

  it('is private for content that a login was required for', async () => {
    expect(new Set(await headersOfPull(privateTo(alice), headers))).toEqual(
      new Set(['private, no-transform']),
    );
  });

  it("is private for content that the proxy's own account was required for", async () => {
    const account = { REGSHIFT_UPSTREAM_AUTH: 'basic', REGSHIFT_CLIENT_AUTH: 'none' };
    const login = { REGSHIFT_UPSTREAM_USERNAME: 'alice', REGSHIFT_UPSTREAM_PASSWORD: 'secret' };
    const given = await headersOfPull(privateTo(alice), anyone, { ...account, ...login });
    expect(new Set(given)).toEqual(new Set(['private, no-transform']));
  });
});

describe('behind a login of the proxy', () => {
  it('everything is private, also what the registry gives to anyone', async () => {
    const settings = {
      REGSHIFT_UPSTREAM_AUTH: 'anonymous',
      REGSHIFT_CLIENT_AUTH: 'basic',
      REGSHIFT_HTPASSWD: 'alice:$2y$04$rAP27xZFf66nZ7qsxBNBNeY7LyDBWhMc1PbydfHbXcwGWGnoRZZpq',
    };
    const script: Script = () => undefined;
    const found = await headersOfPull(script, headers, settings);
    expect(new Set(found)).toEqual(new Set(['private, no-transform']));
    const app = testApp(settings, scriptedUpstream().fetch);
    const old = { Authorization: alice, 'User-Agent': 'docker/1.5.0' };
    const images = await app.get('/v1/repositories/sample/oci/images', old);
    expect(images.header('Cache-Control')).toMatch(/^private, no-transform/);
  });
});

describe('Cache-Control of the ping and of lists', () => {
  const referrers = `/v2/sample/schema2/referrers/sha256:${'a'.repeat(64)}`;
  const tags = '/v2/sample/schema2/tags/list';
  const paths = ['/v2/', '/v2/_catalog', tags, referrers];

  it.each(paths)('%s is private for a login alone, by GET and by HEAD', async (path) => {
    const open = testApp({}, scriptedUpstream().fetch);
    const closed = testApp({}, scriptedUpstream(privateTo(alice)).fetch);
    for (const ask of ['get', 'head'] as const) {
      expect((await open[ask](path)).header('Cache-Control')).toBe('no-transform');
      const response = await closed[ask](path, { Authorization: alice });
      expect(response.header('Cache-Control')).toBe('private, no-transform');
    }
    // An engine before 1.12 gets all pages of the tags in one.
    const old = { Authorization: alice, 'User-Agent': 'docker/1.9.1' };
    expect((await closed.get(path, old)).header('Cache-Control')).toBe('private, no-transform');
  });

  it('keeps what upstream says of a list', async () => {
    const script: Script = () =>
      new Response('{"name":"sample/schema2","tags":["1.0"]}', { headers: { 'Cache-Control': 'no-store' } });
    const app = testApp({}, scriptedUpstream(script).fetch);
    for (const path of [tags, referrers])
      expect((await app.get(path)).header('Cache-Control')).toBe('no-transform, no-store');
  });
});

describe("upstream's Cache-Control of a blob", () => {
  it.each([
    [true, 'max-age=31536000', 'no-transform, max-age=31536000'],
    [true, 'public, max-age=60, no-transform', 'no-transform, public, max-age=60'],
    [true, 'private', 'private, no-transform'],
    [false, 'max-age=60', 'private, no-transform, max-age=60'],
    [false, 'Public, S-MaxAge=9, max-age=60, immutable', 'private, no-transform, max-age=60, immutable'],
    [false, 'private, no-store', 'private, no-transform, no-store'],
    [true, ' , ', 'no-transform'],
  ])('public %s, "%s": "%s"', (isPublic, stated, all) => {
    expect(cacheControl(isPublic, stated)).toBe(all);
  });
});
