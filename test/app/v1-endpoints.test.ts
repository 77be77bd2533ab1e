import { describe, expect, it } from 'vitest';
import { testApp } from '../support/app.ts';
import { manyTags } from '../support/many-tags.ts';
import {
  basicChallenge,
  privateTo,
  type Script,
  scriptedUpstream,
  specError,
} from '../support/scripted-upstream.ts';
import { v1Daemons } from '../support/v1-daemons.ts';

const alice = `Basic ${btoa('alice:secret')}`;
const as = (authorization: string) => ({ Authorization: authorization });
const json = ({ text }: { text(): string }) => JSON.parse(text()) as unknown;

describe('GET /v1/_ping', () => {
  const engine = { 'User-Agent': 'Go 1.1 package http' };

  it.each(['/v1/_ping', '//v1/_ping'])('%s: reports a registry of API v1', async (path) => {
    const response = await testApp().get(path, engine);
    expect([response.status, json(response)]).toEqual([200, {}]);
    expect(response.header('X-Docker-Registry-Standalone')).toBe('true');
  });

  it.each([500, 503])('reports none while the ping of API v2 fails by %i', async (status) => {
    const upstream = scriptedUpstream(() => specError(status, 'UNAVAILABLE'));
    const response = await testApp({}, upstream.fetch).get('/v1/_ping', engine);
    expect([response.status, response.header('X-Docker-Registry-Standalone')]).toEqual([status, null]);
    expect(upstream.asked).toEqual(['GET /v2/']);
  });

  it('reports none while the registry cannot be reached, with the code of that in the log', async () => {
    const unreachable = async () => {
      throw new TypeError('fetch failed');
    };
    const app = testApp({}, unreachable);
    const response = await app.get('/v1/_ping', engine);
    expect([response.status, json(response)]).toEqual([
      502,
      { error: expect.stringContaining('GET to registry.test failed') },
    ]);
    const [line] = app.logged.filter(({ message }) => message === 'request');
    expect(line?.facts).toMatchObject({ error: 'UPSTREAM_UNREACHABLE', status: 502 });
  });

  it.each([401, 403, 429])('reports one where API v2 answers %i', async (status) => {
    const upstream = scriptedUpstream(() => specError(status, 'UNAUTHORIZED'));
    expect((await testApp({}, upstream.fetch).get('/v1/_ping', engine)).status).toBe(200);
  });

  it.each([
    'containers/5.23.1 (github.com/containers/image)',
    'skopeo/1.9.3',
    'Buildah/1.28.2',
    'cri-o/1.26.0 go/go1.19 os/linux arch/amd64',
    'containerd/1.7.2',
  ])('is not known to %s, which would take it for the registry of its pull', async (agent) => {
    const upstream = scriptedUpstream(() => specError(503, 'UNAVAILABLE'));
    expect((await testApp({}, upstream.fetch).get('/v1/_ping', { 'User-Agent': agent })).status).toBe(404);
    expect(upstream.asked).toEqual([]);
  });

  it.each(['containers/5.23.1 (github.com/containers/image)', 'Go 1.1 package http'])(
    'has no answer that a cache in front gives to other programs: %s',
    async (agent) => {
      const answer = await testApp().get('/v1/_ping', { 'User-Agent': agent });
      expect(answer.header('Cache-Control')).toBe('no-store');
      expect(answer.header('Vary')).toContain('User-Agent');
    },
  );
});

describe('the endpoint of a pull', () => {
  it.each([
    [{}, 'regshift.test/v1ctx/'],
    [{ REGSHIFT_PUBLIC_URL: 'https://registry.example' }, 'registry.example/v1ctx/'],
    [{ REGSHIFT_PUBLIC_URL: 'https://example.net:8443/mirror/' }, 'example.net:8443/mirror/v1ctx/'],
  ])('is the address of the proxy without a scheme: %j', async (variables, prefix) => {
    const response = await testApp(variables).get('/v1/repositories/sample/oci/images');
    const endpoint = response.header('X-Docker-Endpoints') ?? '';
    expect(endpoint.slice(0, prefix.length)).toBe(prefix);
    // Characters that all daemons from 1.3.3 to 17.05 accept in the path.
    expect(endpoint.slice(prefix.length)).toMatch(/^[A-Za-z0-9._-]{50,950}$/);
  });

  it('is short enough for the longest name', async () => {
    const name = `${'a'.repeat(127)}/${'b'.repeat(127)}`;
    const tags = manyTags(name, { latest: 'sample/oci' });
    const response = await testApp({}, scriptedUpstream(tags).fetch).get(`/v1/repositories/${name}/images`);
    expect(response.header('X-Docker-Endpoints')).toMatch(/\/v1ctx\/[^/]{50,950}$/);
  });
});

/** `docker login` of Docker 1.3 to 1.5: `POST`, and `GET` after a 401. @returns the text that Docker prints. */
async function login(script: Script, authorization?: string, variables: Record<string, string> = {}) {
  const upstream = scriptedUpstream(script);
  const app = testApp(variables, upstream.fetch);
  const posted = await app.send('POST', '/v1/users/', { 'Content-Type': 'application/json; charset=utf-8' });
  if (posted.status === 201) return 'Account created.';
  if (posted.status !== 401) return `Unexpected status code [${posted.status}]`;
  const got = await app.get('/v1/users/', authorization ? as(authorization) : {});
  if (got.status === 200) return 'Login Succeeded';
  return got.status === 401
    ? 'Wrong login/password, please try again'
    : `Login: ${got.text()} (Code: ${got.status})`;
}

describe('docker login', () => {
  const challenge = 'Bearer realm="https://auth.test/token",service="registry.test"';
  const withTokens: Script = (request, url) => {
    const brought = request.headers.get('authorization');
    if (url.host === 'auth.test') {
      return brought === alice
        ? Response.json({ token: 'of-alice', expires_in: 300 })
        : specError(401, 'UNAUTHORIZED');
    }
    return brought === 'Bearer of-alice'
      ? undefined
      : specError(401, 'UNAUTHORIZED', { 'WWW-Authenticate': challenge });
  };
  const wrong = 'Wrong login/password, please try again';

  it.each([
    ['a registry with Basic', privateTo(alice), alice, 'Login Succeeded'],
    ['a registry with Basic, and another password', privateTo(alice), `Basic ${btoa('alice:guess')}`, wrong],
    ['a registry with tokens', withTokens, alice, 'Login Succeeded'],
    ['a registry with tokens, and another password', withTokens, `Basic ${btoa('alice:guess')}`, wrong],
    ['no name and no password', () => undefined, undefined, wrong],
    ['an empty login', () => undefined, 'Basic Og==', wrong],
  ] as const)('%s', async (_, script, authorization, expected) => {
    expect(await login(script, authorization)).toBe(expected);
  });

  it('prints the error when upstream fails', async () => {
    const down: Script = () => specError(503, 'UNAVAILABLE');
    expect(await login(down, alice)).toBe(
      'Login: {"error":"Upstream answered 503 for the registry API v2: UNAVAILABLE, as scripted."} (Code: 503)',
    );
  });

  it('succeeds with any login at a proxy that requires none', async () => {
    expect(await login(privateTo(alice), alice, { REGSHIFT_UPSTREAM_AUTH: 'anonymous' })).toBe(
      'Login Succeeded',
    );
  });
});

describe('GET /v1/search', () => {
  const results = async (query: string, variables = {}, script?: Script, userAgent?: string) => {
    const upstream = scriptedUpstream(script);
    const response = await testApp(variables, upstream.fetch).get(`/v1/search?${query}`, {
      'X-Docker-Token': 'true',
      ...(userAgent ? { 'User-Agent': userAgent } : {}),
    });
    expect(response.status).toBe(200);
    return json(response) as {
      query: string;
      num_results: number;
      results: { name: string; description: string }[];
    };
  };
  const names = async (...args: Parameters<typeof results>) =>
    (await results(...args)).results.map(({ name }) => name);

  it('finds repositories in the catalog of upstream', async () => {
    const found = await results('q=schema2');
    expect(found).toMatchObject({ query: 'schema2', num_results: 3 });
    expect(found.results[0]).toMatchObject({ name: 'sample/schema2', description: '', star_count: 0 });
    expect(await names('q=SCHEMA2')).toHaveLength(3);
  });

  it('returns no more results than requested', async () => {
    expect(await names('q=&n=2')).toHaveLength(2);
    expect(await names('q=')).toHaveLength(18);
    expect(await names('q=nothing-like-it')).toEqual([]);
  });

  it('reads all pages of upstream', async () => {
    const pages: Script = (_, url) => {
      const last = url.searchParams.get('last');
      if (last === null) {
        return Response.json(
          { repositories: ['a/one'] },
          { headers: { Link: '</v2/_catalog?last=x&n=1>; rel="next"' } },
        );
      }
      return Response.json({ repositories: ['a/two', 'Not A Name', 7] });
    };
    expect(await names('q=a', {}, pages)).toEqual(['a/one', 'a/two']);
  });

  it('looks at the first 10,000 names, also of a registry that sends more than it is asked for', async () => {
    let asked = 0;
    const pages: Script = () => {
      asked += 1;
      const repositories = Array.from({ length: 12_000 }, (_, at) => `p${asked}/n${at}`);
      const headers = { Link: `</v2/_catalog?last=${repositories.at(-1)}>; rel="next"` };
      return Response.json({ repositories }, { headers });
    };
    expect(await names('q=n9999', {}, pages)).toEqual(['p1/n9999']);
    expect(asked).toBe(1);
  });

  const aliased = { REGSHIFT_ALIASES: 'tools/build=team/tools/build' };
  const listed: Script = () =>
    Response.json({ repositories: ['a/b/c', 'team/tools/build', 'x-y/z', 'plain'] });

  it.each([
    [
      'docker/1.3.3 go/go1.3.3 os/linux arch/amd64',
      /before 1.8 .*REGSHIFT_ALIASES/,
      /before 1.5 .*REGSHIFT_ALIASES/,
    ],
    [
      'docker/1.5.0 go/go1.4.1 os/linux arch/amd64',
      /before 1.8 .*REGSHIFT_ALIASES/,
      /before 1.6 .*REGSHIFT_ALIASES/,
    ],
    ['docker/1.6.2 go/go1.4.2 os/linux arch/amd64', /before 1.8 .*REGSHIFT_ALIASES/, /^$/],
    ['docker/1.7.1 go/go1.4.2 os/linux arch/amd64', /before 1.8 .*REGSHIFT_ALIASES/, /^$/],
    ['docker/1.8.3 go/go1.4.2 os/linux arch/amd64', /^$/, /^$/],
    ['docker/20.10.24 go/go1.19 os/linux arch/amd64 UpstreamClient(Docker-Client/1.7.1)', /^$/, /^$/],
    ['curl/7.88.1', /^$/, /^$/],
    [undefined, /^$/, /^$/],
  ])('tells %s which names it refuses, and no other client', async (userAgent, deep, narrow) => {
    const found = await results('q=', aliased, listed, userAgent);
    expect(found.results.map(({ name, description }) => [name, description])).toEqual([
      ['a/b/c', expect.stringMatching(deep)],
      ['tools/build', 'alias of team/tools/build'],
      ['x-y/z', expect.stringMatching(narrow)],
      ['plain', ''],
    ]);
  });

  // The verdicts are those of the engines' own source, built and run.
  it.each([
    ['1.3.3', ['my-team/app', 'my.team/app', 'my--team/app', 'abc/app', 'a/app']],
    ['1.5.0', ['my.team/app', 'my--team/app', 'abc/app', 'a/app']],
    ['1.6.2', ['my.team/app', 'my--team/app', 'a/app']],
    ['1.7.1', ['my.team/app', 'my--team/app', 'a/app']],
    ['1.8.3', ['my--team/app', 'team/x__y', 'team/x--y', 'x--y']],
    ['1.9.1', ['team/x__y']],
    ['1.10.3', []],
  ])('tells Docker %s of exactly the names that it refuses', async (version, refused) => {
    const repositories = [
      ...['my-team/app', 'my.team/app', 'my--team/app', 'my_team/app', 'abc/app', 'a/app'],
      ...['team/x__y', 'team/x--y', 'team/x.y', 'x--y'],
    ];
    const found = await results(
      'q=',
      {},
      () => Response.json({ repositories }),
      `docker/${version} go/go1.4.2 os/linux arch/amd64`,
    );
    const hints = found.results.filter(({ description }) => description !== '');
    expect(hints.map(({ name }) => name)).toEqual(refused);
    for (const { description } of hints)
      expect(description).toMatch(/^Docker before 1\.\d+ needs a .*: set REGSHIFT_ALIASES$/);
  });

  it('finds a repository by its alias and by its own name, and none by the words of a hint', async () => {
    expect(await names('q=team', aliased, listed)).toEqual(['tools/build']);
    expect(await names('q=tools/b', aliased, listed)).toEqual(['tools/build']);
    expect(await names('q=needs', aliased, listed, 'docker/1.5.0')).toEqual([]);
  });

  it('shows only served repositories', async () => {
    expect(await names('q=', { REGSHIFT_REPOSITORIES: 'sample/oci*' })).toEqual([
      'sample/oci',
      'sample/oci-no-history',
      'sample/oci-zstd',
    ]);
  });

  it.each([403, 404, 405])('is empty when upstream responds %i', async (status) => {
    expect(await names('q=a', {}, () => specError(status, 'DENIED'))).toEqual([]);
  });

  it('is 401 where upstream lists nothing without a login, and empty where it lists nothing with one', async () => {
    const upstream = scriptedUpstream(() =>
      specError(401, 'UNAUTHORIZED', { 'WWW-Authenticate': basicChallenge }),
    );
    const app = testApp({}, upstream.fetch);
    const anonymous = await app.get('/v1/search?q=a');
    expect([anonymous.status, anonymous.header('WWW-Authenticate')]).toEqual([401, 'Basic realm="regshift"']);
    const known = await app.get('/v1/search?q=a', as(alice));
    expect([known.status, JSON.parse(known.text()).results]).toEqual([200, []]);
  });

  it('reports that upstream fails', async () => {
    const app = testApp({}, scriptedUpstream(() => specError(503, 'UNAVAILABLE')).fetch);
    expect((await app.get('/v1/search?q=a')).status).toBe(503);
  });

  it("sends the client's own login to upstream", async () => {
    const upstream = scriptedUpstream();
    await testApp({}, upstream.fetch).get('/v1/search?q=a', as(alice));
    expect([upstream.asked, upstream.carried]).toEqual([['GET /v2/_catalog?n=1000'], [alice]]);
  });
});

describe('the description of a repository', () => {
  it('its JSON describes the image that this client would get', async () => {
    const response = await testApp().get('/v1/repositories/sample/list/json', {
      'User-Agent': v1Daemons['Docker 1.7.1'].userAgent.replace('amd64', 'arm64'),
    });
    expect(json(response)).toEqual({
      last_update: Date.UTC(2016, 1, 4) / 1000,
      docker_version: null,
      docker_go_version: null,
      arch: 'arm64',
      os: 'linux',
      kernel: null,
    });
  });

  it.each([
    ['public', {}, undefined],
    ['public', as(alice), undefined],
    ['private', as(alice), privateTo(alice)],
  ] as const)('its properties: %s', async (access, headers, script) => {
    const app = testApp({}, scriptedUpstream(script).fetch);
    expect(json(await app.get('/v1/repositories/sample/oci/properties', headers))).toEqual({ access });
  });

  it.each(['json', 'properties'])('its %s are refused to clients without the right', async (what) => {
    const app = testApp({}, scriptedUpstream(privateTo(alice)).fetch);
    expect((await app.get(`/v1/repositories/sample/oci/${what}`)).status).toBe(401);
    expect((await app.get(`/v1/repositories/sample/none/${what}`, as(alice))).status).toBe(404);
  });
});

describe('requests that API v1 does not support', () => {
  it.each([
    ['PUT', '/v1/repositories/sample/oci/', 405],
    ['PUT', '/v1/repositories/sample/oci/images', 405],
    ['PUT', `/v1/images/${'0'.repeat(64)}/json`, 405],
    ['DELETE', '/v1/repositories/sample/oci/tags', 405],
    ['POST', '/v1/_ping', 405],
    ['PUT', '/v1/users/', 405],
  ])('%s %s: %i', async (method, path, status) => {
    const response = await testApp().send(method, path);
    expect([response.status, json(response)]).toEqual([status, { error: expect.any(String) }]);
  });

  it.each([
    ['/v1/repositories/sample/none/tags', 404, undefined],
    ['/v1/images/none/json', 404, undefined],
    ['/v1/users/', 401, undefined],
    ['/v1/repositories/sample/oci/tags', 401, privateTo(alice)],
  ])('no cache keeps the error of %s: %i', async (path, status, script) => {
    const answer = await testApp({}, scriptedUpstream(script).fetch).get(path);
    expect(answer.status).toBe(status);
    expect(answer.header('Cache-Control')).toBe('no-store');
    expect(answer.header('Vary')).toContain('Authorization');
  });

  it('HEAD has the headers of GET', async () => {
    const app = testApp();
    for (const path of [
      '/v1/_ping',
      '/v1/repositories/sample/oci/tags',
      '/v1/repositories/nothing/here/tags',
    ]) {
      const [head, get] = [await app.head(path), await app.get(path)];
      expect([head.status, head.header('Content-Length')]).toEqual([get.status, String(get.body.length)]);
      expect(head.body).toHaveLength(0);
    }
  });
});
