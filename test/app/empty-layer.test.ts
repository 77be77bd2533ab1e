import { describe, expect, it } from 'vitest';
import { emptyLayer } from '../../converters/formats/schema1/empty-layer.ts';
import { type TestApp, testApp } from '../support/app.ts';
import { manyTags } from '../support/many-tags.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { privateTo, type Script, scriptedUpstream, specError } from '../support/scripted-upstream.ts';

const docker19 = manifestRequestHeaders['Docker 1.9.1'];
const alice = 'Basic YWxpY2U6c2VjcmV0';
const bob = 'Basic Ym9iOnNlY3JldA==';
const emptyLayerOf = (repository: string) => `/v2/${repository}/blobs/${emptyLayer.digest}`;
const path = emptyLayerOf('sample/oci');
const methods = ['GET', 'HEAD'] as const;

/** All requests to upstream that the work causes. */
async function requestsOf(upstream: { forget(): void; asked: readonly string[] }, work: () => Promise<void>) {
  upstream.forget();
  await work();
  return [...upstream.asked];
}

describe.each(methods)('%s of the empty layer', (method) => {
  it.each([
    ['a repository that does not exist', 'no/such'],
    ['a repository without a tag', 'team/blobs'],
  ])('is 404 in %s', async (_, repository) => {
    const upstream = scriptedUpstream((_request, url) => {
      if (url.pathname === '/v2/team/blobs/tags/list')
        return Response.json({ name: 'team/blobs', tags: null });
      return url.pathname.startsWith('/v2/team/') ? specError(404, 'BLOB_UNKNOWN') : undefined;
    });
    const response = await testApp({}, upstream.fetch).send(method, emptyLayerOf(repository));
    expect(response.status).toBe(404);
    expect(response.header('Docker-Content-Digest')).toBeNull();
  });

  it('is refused to a client that may not read the repository, even after another client got it', async () => {
    const upstream = scriptedUpstream(privateTo(alice));
    const app = testApp({}, upstream.fetch);
    expect((await app.send(method, path, { Authorization: alice })).status).toBe(200);
    for (const headers of [{ Authorization: bob }, {}]) {
      const response = await app.send(method, path, headers);
      expect(response.status).toBe(401);
      expect(response.header('WWW-Authenticate')).not.toBeNull();
    }
  });

  it.each([401, 403])('passes on a %i for the blob', async (status) => {
    const script: Script = (_request, url) =>
      url.pathname === path ? specError(status, 'DENIED') : undefined;
    const app = testApp({}, scriptedUpstream(script).fetch);
    // Anyone may read the manifest, but not the blob.
    expect((await app.get('/v2/sample/oci/manifests/latest', docker19)).status).toBe(200);
    expect((await app.send(method, path)).status).toBe(status);
  });

  it('passes on a refusal of the list of tags', async () => {
    const script: Script = (_request, url) =>
      url.pathname.endsWith('/tags/list') ? specError(403, 'DENIED') : undefined;
    const response = await testApp({}, scriptedUpstream(script).fetch).send(method, path);
    expect(response.status).toBe(403);
  });

  it('is 200 when upstream has it, even without a tag', async () => {
    const script: Script = (_request, url) =>
      url.pathname === emptyLayerOf('team/app')
        ? new Response(emptyLayer.bytes, { headers: { 'Content-Length': '32' } })
        : undefined;
    const response = await testApp({}, scriptedUpstream(script).fetch).send(method, emptyLayerOf('team/app'));
    expect([response.status, response.header('Content-Length')]).toEqual([200, '32']);
    if (method === 'GET') expect(response.body).toEqual(emptyLayer.bytes);
  });

  it('is private when the image is private', async () => {
    const app = testApp({}, scriptedUpstream(privateTo(alice)).fetch);
    const mine = await app.send(method, path, { Authorization: alice });
    expect(mine.header('Cache-Control')).toContain('private');
    const open = await testApp({}, scriptedUpstream().fetch).send(method, path);
    expect(open.header('Cache-Control')).not.toContain('private');
  });
});

describe('requests to upstream for the empty layer', () => {
  const fetchAll = async (app: TestApp, headers: Record<string, string> = {}) => {
    for (let entry = 0; entry < 10; entry += 1) {
      for (const method of ['HEAD', 'GET']) {
        expect((await app.send(method, path, headers)).status).toBe(200);
      }
    }
  };

  it.each([
    ['with a login', { Authorization: alice }, privateTo(alice)],
    ['without a login', {}, undefined],
  ])('are one after a pull, %s', async (_, headers, script) => {
    const upstream = scriptedUpstream(script);
    const app = testApp({}, upstream.fetch);
    await app.get('/v2/sample/oci/manifests/latest', [...docker19, ...Object.entries(headers)]);
    expect(await requestsOf(upstream, () => fetchAll(app, headers))).toEqual([`HEAD ${path}`]);
    expect(await requestsOf(upstream, () => fetchAll(app, headers))).toEqual([]);
    app.advance(31);
    expect(await requestsOf(upstream, () => fetchAll(app, headers))).toEqual([
      `HEAD ${path}`,
      'HEAD /v2/sample/oci/manifests/latest',
    ]);
  });

  it('include the list of tags and one tag when another replica served the manifest', async () => {
    const upstream = scriptedUpstream();
    const app = testApp({}, upstream.fetch);
    expect(await requestsOf(upstream, () => fetchAll(app))).toEqual([
      `HEAD ${path}`,
      'GET /v2/sample/oci/tags/list',
      expect.stringMatching(/^(GET|HEAD) \/v2\/sample\/oci\/manifests\//),
    ]);
  });

  it('include another tag where the one that was requested recently is deleted, which is looked for once', async () => {
    const tags = manyTags('team/app', { a: 'sample/oci', b: 'sample/schema2' });
    let isDeleted = false;
    const upstream = scriptedUpstream((request, url) =>
      isDeleted && url.pathname.endsWith('/manifests/a')
        ? specError(404, 'MANIFEST_UNKNOWN')
        : tags(request, url),
    );
    const app = testApp({}, upstream.fetch);
    const hers = [...docker19, ['Authorization', alice] as const];
    expect((await app.get('/v2/team/app/manifests/a', hers)).status).toBe(200);
    isDeleted = true;
    app.advance(31);
    const asked = await requestsOf(upstream, async () => {
      const answer = await app.head(emptyLayerOf('team/app'), { Authorization: bob });
      expect(answer.status).toBe(200);
    });
    expect(asked.filter((each) => each.endsWith('/manifests/a'))).toHaveLength(1);
    expect(asked.at(-1)).toMatch(/\/manifests\/(b|sha256:\w{64})$/);
  });

  it('are one for many clients at the same time', async () => {
    const upstream = scriptedUpstream(privateTo(alice));
    const app = testApp({}, upstream.fetch);
    const headers = { Authorization: alice };
    await app.get('/v2/sample/oci/manifests/latest', [...docker19, ...Object.entries(headers)]);
    const asked = await requestsOf(upstream, async () => {
      const responses = await Promise.all(Array.from({ length: 20 }, () => app.get(path, headers)));
      expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([200]));
    });
    expect(asked).toEqual([`HEAD ${path}`]);
  });

  it('are sent again after a write to the repository', async () => {
    let gone = false;
    const upstream = scriptedUpstream((request) => {
      if (request.method === 'DELETE') {
        gone = true;
        return new Response(null, { status: 202 });
      }
      return gone ? specError(404, 'NAME_UNKNOWN') : undefined;
    });
    const app = testApp({}, upstream.fetch);
    expect((await app.get(path)).status).toBe(200);
    await app.send('DELETE', '/v2/sample/oci/manifests/latest');
    expect((await app.get(path)).status).toBe(404);
  });
});
