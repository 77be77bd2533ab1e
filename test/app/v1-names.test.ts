import { describe, expect, it } from 'vitest';
import { testApp } from '../support/app.ts';
import { manyTags } from '../support/many-tags.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { type Script, scriptedUpstream, specError } from '../support/scripted-upstream.ts';
import { v1DaemonNames, v1Daemons } from '../support/v1-daemons.ts';
import { pullV1 } from '../support/v1-pull.ts';

/** A registry with these repositories, each with one image. */
function registryOf(repositories: Readonly<Record<string, string>>): Script {
  return async (request, url) => {
    for (const [name, sample] of Object.entries(repositories)) {
      const response = await manyTags(name, { latest: sample })(request, url);
      if (response) return response;
    }
    return url.pathname === '/v2/' ? undefined : specError(404, 'NAME_UNKNOWN');
  };
}

function over(repositories: Readonly<Record<string, string>>, variables: Record<string, string> = {}) {
  const upstream = scriptedUpstream(registryOf(repositories));
  return { upstream, app: testApp(variables, upstream.fetch) };
}

const askedAbout = (asked: readonly string[]) =>
  new Set(asked.flatMap((each) => /\/v2\/(.+)\/(?:manifests|blobs|tags)\//.exec(each)?.[1] ?? []));

describe.each(v1DaemonNames)('%s pulls', (daemon) => {
  it.each([
    ['a name without a namespace', { foo: 'sample/oci' }, 'foo', 'foo'],
    [
      'a name without a namespace that upstream has in library/',
      { 'library/foo': 'sample/oci' },
      'foo',
      'library/foo',
    ],
    ['a name that ends like a path', { 'team/tags': 'sample/oci' }, 'team/tags', 'team/tags'],
    ['a name that looks like a path', { 'images/json': 'sample/oci' }, 'images/json', 'images/json'],
    ['a name in library/', { 'library/foo': 'sample/oci' }, 'library/foo', 'library/foo'],
    ['the first of two', { foo: 'sample/oci', 'library/foo': 'sample/schema2' }, 'foo', 'foo'],
    [
      'the other of two',
      { foo: 'sample/schema2', 'library/foo': 'sample/oci' },
      'library/foo',
      'library/foo',
    ],
  ])('%s', async (_, repositories, name, real) => {
    const { app, upstream } = over(repositories);
    const expected = await pullV1({ daemon: v1Daemons[daemon], http: testApp().send }, 'sample/oci');
    const { ids } = await pullV1({ daemon: v1Daemons[daemon], http: app.send }, name);
    expect(ids).toEqual(expected.ids);
    expect(askedAbout(upstream.asked)).toContain(real);
  });

  it.each([
    ['of more than two parts', 'tools/build', 'tools/build=team/tools/build.image'],
    ['without a namespace', 'build', 'x=y build=team/tools/build.image'],
  ])('by an alias a name %s', async (_, name, aliases) => {
    const { app, upstream } = over({ 'team/tools/build.image': 'sample/oci' }, { REGSHIFT_ALIASES: aliases });
    const { layers } = await pullV1({ daemon: v1Daemons[daemon], http: app.send }, name);
    expect(layers.size).toBe(2);
    expect(askedAbout(upstream.asked)).toEqual(new Set(['team/tools/build.image']));
  });

  it('no repository that is not served', async () => {
    const { app, upstream } = over({ 'team/app': 'sample/oci' }, { REGSHIFT_REPOSITORIES: 'other/*' });
    const pulling = pullV1({ daemon: v1Daemons[daemon], http: app.send }, 'team/app');
    await expect(pulling).rejects.toThrow('image team/app not found');
    expect(upstream.asked.filter((each) => !each.endsWith('/v2/'))).toEqual([]);
  });
});

describe('a tag with the name of a path', () => {
  it.each(['images', 'tags', 'json', 'properties'])('%s: is found in a pull', async (tag) => {
    const upstream = scriptedUpstream(manyTags('team/app', { [tag]: 'sample/oci', other: 'sample/schema2' }));
    const { send } = testApp({}, upstream.fetch);
    const { ids } = await pullV1({ daemon: v1Daemons['Docker 1.9.1'], http: send }, 'team/app', tag);
    expect(ids).toHaveLength(2);
  });
});

describe('a repository that is no longer served', () => {
  it('is refused to a pull that has begun', async () => {
    const before = over({ 'team/app': 'sample/oci' });
    const { session, ids } = await pullV1(
      { daemon: v1Daemons['Docker 1.9.1'], http: before.app.send },
      'team/app',
    );
    const after = over({ 'team/app': 'sample/oci' }, { REGSHIFT_REPOSITORIES: 'other/*' });
    const pulled = session.asked.filter((path) => path.startsWith('/v1ctx/'));
    expect(pulled).toHaveLength(2 + 2 * ids.length);
    for (const path of pulled) expect((await after.app.get(path)).status).toBe(404);
    expect(after.upstream.asked).toEqual([]);
  });
});

describe('an alias', () => {
  const variables = { REGSHIFT_ALIASES: 'tools/build = team/tools/build, a=b/c'.replaceAll(' = ', '=') };

  it('works in API v2 too: for manifest, blobs and tags', async () => {
    const { app, upstream } = over({ 'team/tools/build': 'sample/oci' }, variables);
    const headers = manifestRequestHeaders['Docker 1.9.1'];
    const manifest = await app.get('/v2/tools/build/manifests/latest', headers);
    const direct = await app.get('/v2/team/tools/build/manifests/latest', headers);
    expect([manifest.status, manifest.body]).toEqual([200, direct.body]);
    const { fsLayers } = JSON.parse(manifest.text()) as { fsLayers: { blobSum: string }[] };
    for (const { blobSum } of fsLayers) {
      expect((await app.get(`/v2/tools/build/blobs/${blobSum}`, headers)).status).toBe(200);
    }
    const tags = await app.get('/v2/tools/build/tags/list');
    expect(JSON.parse(tags.text())).toEqual({ name: 'tools/build', tags: ['latest'] });
    expect(askedAbout(upstream.asked)).toEqual(new Set(['team/tools/build']));
  });

  it('is served when its repository is served, not by its own name', async () => {
    const only = { ...variables, REGSHIFT_REPOSITORIES: 'team/**' };
    const { app } = over({ 'team/tools/build': 'sample/oci' }, only);
    expect((await app.get('/v1/repositories/tools/build/images')).status).toBe(200);
    const other = over(
      { 'team/tools/build': 'sample/oci' },
      { ...variables, REGSHIFT_REPOSITORIES: 'tools/*' },
    );
    expect((await other.app.get('/v1/repositories/tools/build/images')).status).toBe(404);
  });

  it('is replaced in the scope of a token request', async () => {
    const challenge = 'Bearer realm="https://auth.test/token",service="registry.test"';
    const upstream = scriptedUpstream((_, url) =>
      url.host === 'auth.test'
        ? Response.json({ token: 'for-you', expires_in: 300 })
        : specError(401, 'UNAUTHORIZED', { 'WWW-Authenticate': challenge }),
    );
    const scopes = [
      'repository:tools/build:pull,push',
      'repository:team/tools/build:pull,push',
      'registry:catalog:*',
    ];
    const query = scopes.map((scope) => `scope=${encodeURIComponent(scope)}`).join('&');
    const response = await testApp(variables, upstream.fetch).get(`/token?service=registry.test&${query}`);
    expect(response.status).toBe(200);
    const asked = new URL(upstream.asked.at(-1)?.replace('GET ', '') ?? '');
    expect(asked.searchParams.getAll('scope')).toEqual(scopes.slice(1));
  });
});

describe('an invalid name', () => {
  it.each(['Team/app', 'team/-app', 'a/b/'])('%s: 400 with the setting for a short name', async (name) => {
    const { app, upstream } = over({});
    const response = await app.get(`/v1/repositories/${name}/images`);
    expect([response.status, JSON.parse(response.text())]).toEqual([
      400,
      { error: expect.stringMatching(/is not a repository name.*REGSHIFT_ALIASES/) },
    ]);
    expect(upstream.asked).toEqual([]);
  });
});
