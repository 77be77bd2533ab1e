import { describe, expect, it } from 'vitest';
import { type TestApp, testApp } from '../support/app.ts';
import { behindLogin, type Host, holding, type Network, network } from '../support/network.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';

const docker19 = manifestRequestHeaders['Docker 1.9.1'];
const basic = (login: string) => `Basic ${btoa(login)}`;
const a = 'https://a.test';
const b = 'https://b.test';
const tokens = 'https://tokens.test';
const htpasswd = 'alice:$2y$04$rAP27xZFf66nZ7qsxBNBNeY7LyDBWhMc1PbydfHbXcwGWGnoRZZpq';

function over(config: object, registries: Network): TestApp {
  return testApp({ REGSHIFT_CONFIG: JSON.stringify(config), REGSHIFT_UPSTREAM: '' }, registries.fetch);
}

const as = (login: string) => [...docker19, ['Authorization', basic(login)]] as const;
const images = () => holding({ 'team/app': 'sample/oci', 'library/busybox': 'sample/oci' });

describe("a route's own account", () => {
  const registries = () =>
    network({
      [a]: behindLogin(basic('for-a:secret-a'), images()),
      [b]: behindLogin(basic('for-b:secret-b'), images()),
    });
  const own = (at: string, of: string) => ({
    upstream: at,
    upstreamAuth: 'basic',
    upstreamUsername: `for-${of}`,
    upstreamPassword: `secret-${of}`,
    clientAuth: 'basic',
    htpasswd,
  });
  const config = {
    routes: [
      { ...own(a, 'a'), match: { path: 'a/' } },
      { ...own(b, 'b'), match: { path: 'b/' } },
    ],
  };

  it("never reaches another route's upstream, and a client's login reaches none", async () => {
    const both = registries();
    const app = over(config, both);
    for (const path of ['a', 'b']) {
      const response = await app.get(`/v2/${path}/team/app/manifests/latest`, as('alice:secret'));
      expect(response.status).toBe(200);
    }
    const carried = (origin: string) => new Set(both.at(origin).map(({ authorization }) => authorization));
    expect(carried(a)).toEqual(new Set([null, basic('for-a:secret-a')]));
    expect(carried(b)).toEqual(new Set([null, basic('for-b:secret-b')]));
  });

  it('requires one login for the host, with a challenge at the ping', async () => {
    const both = registries();
    const app = over(config, both);
    for (const path of [
      '/v2/',
      '/v2/a/team/app/manifests/latest',
      '/v2/none/such/manifests/latest',
      '/v1/_ping',
    ]) {
      const response = await app.get(path);
      expect([path, response.status, response.header('www-authenticate')]).toEqual([
        path,
        401,
        'Basic realm="regshift"',
      ]);
    }
    expect((await app.get('/v2/', as('alice:secret'))).status).toBe(200);
    expect((await app.get('/token', as('alice:secret'))).status).toBe(404);
    expect(both.asked).toEqual([]);
  });

  it('grants no access through another route to the same upstream', async () => {
    const one = network({ [a]: behindLogin(basic('for-a:secret-a'), images()) });
    const other = { ...own(a, 'a'), upstreamUsername: 'other', match: { path: 'b/' } };
    const app = over({ routes: [config.routes[0], other] }, one);
    const path = (route: string) => `/v2/${route}/team/app/manifests/latest`;
    expect((await app.get(path('a'), as('alice:secret'))).status).toBe(200);
    const refused = await app.get(path('b'), as('alice:secret'));
    expect([refused.status, refused.error().code]).toEqual([403, 'DENIED']);
    const digest = (await app.get(path('a'), as('alice:secret'))).header('docker-content-digest');
    for (const what of ['manifests', 'blobs']) {
      const response = await app.get(`/v2/b/team/app/${what}/${digest}`, as('alice:secret'));
      expect([401, 403, 404]).toContain(response.status);
    }
  });
});

describe('a host with several routes', () => {
  it('requires no login at its ping, whatever its upstreams require', async () => {
    const both = network({ [a]: behindLogin(basic('x:y'), images()), [b]: images() });
    const routes = [
      { match: { path: 'a/' }, upstream: a },
      { match: { path: 'b/' }, upstream: b },
    ];
    const app = over({ upstreamAuth: 'anonymous', routes }, both);
    const response = await app.get('/v2/', as('alice:secret'));
    expect([response.status, response.text()]).toEqual([200, '{}']);
    expect(both.asked).toEqual([]);
    const refused = await app.get('/v2/a/team/app/manifests/latest', as('alice:secret'));
    expect([refused.status, refused.header('www-authenticate')]).toEqual([403, null]);
    expect(both.asked.map(({ authorization }) => authorization).filter(Boolean)).toEqual([]);
  });
});

describe('logins in passthrough mode', () => {
  const challenged: Host = (request, url) => {
    const name = /^\/v2\/(.+)\/(?:manifests|blobs|tags)\//.exec(url.pathname)?.[1];
    const scope = name ? `,scope="repository:${name}:pull"` : '';
    return behindLogin(
      'Bearer good',
      images(),
      `Bearer realm="${tokens}/auth",service="a"${scope}`,
    )(request, url);
  };
  const tokenServer: Host = (request) =>
    request.headers.get('authorization') === basic('alice:secret')
      ? Response.json({ token: 'good', expires_in: 300 })
      : new Response('{}', { status: 401 });
  const config = {
    routes: [
      { upstream: a, match: { path: 'old/' }, format: 'schema1' },
      { upstream: a },
      { upstream: b, match: { host: 'b.proxy.test' } },
    ],
  };
  const registries = () => network({ [a]: challenged, [tokens]: tokenServer, [b]: images() });

  it('have scopes with the names of each side', async () => {
    const both = registries();
    const app = over(config, both);
    const ping = await app.get('/v2/');
    expect(ping.header('www-authenticate')).toBe('Bearer realm="http://regshift.test/token",service="a"');
    const refused = await app.get('/v2/old/team/app/manifests/latest', docker19);
    expect(refused.status).toBe(401);
    expect(refused.header('www-authenticate')).toBe(
      'Bearer realm="http://regshift.test/token",service="a",scope="repository:old/team/app:pull"',
    );
    both.forget();
    const query = 'service=a&scope=repository:old/team/app:pull&scope=repository:team/app:pull,push';
    const token = await app.get(`/token?${query}`, as('alice:secret'));
    expect(JSON.parse(token.text())).toMatchObject({ token: 'good' });
    const [asked] = both.at(tokens);
    expect(new URL(asked?.path ?? '', tokens).searchParams.getAll('scope')).toEqual([
      'repository:team/app:pull',
      'repository:team/app:pull,push',
    ]);
  });

  it('reach the upstream of the requested host alone', async () => {
    const both = registries();
    const app = over(config, both);
    const bearer = [...docker19, ['Authorization', 'Bearer good']] as const;
    const pinned = await app.get('/v2/old/team/app/manifests/latest', bearer);
    expect(pinned.header('content-type')).toMatch(/prettyjws/);
    expect((await app.get('http://b.proxy.test/v2/team/app/manifests/latest', as('bob:secret'))).status).toBe(
      200,
    );
    expect(new Set(both.at(a).map(({ authorization }) => authorization))).toEqual(new Set(['Bearer good']));
    expect(new Set(both.at(b).map(({ authorization }) => authorization))).toEqual(
      new Set([basic('bob:secret')]),
    );
    expect(both.at(tokens)).toEqual([]);
  });

  it('are sealed by API v1 for one host, and refused at another', async () => {
    const both = registries();
    both.set(a, images());
    const app = over(config, both);
    const begun = await app.get('/v1/repositories/team/app/images', as('alice:secret'));
    const claim = begun.header('x-docker-token') ?? '';
    const [, context = ''] = /^[^/]+(\/.*)$/.exec(begun.header('x-docker-endpoints') ?? '') ?? [];
    const headers = { Authorization: `Token ${claim}`, 'User-Agent': 'docker/1.9.1 os/linux arch/amd64' };
    const path = `${context}/v1/repositories/team/app/tags/latest`;
    expect((await app.get(path, headers)).status).toBe(200);
    both.forget();
    expect((await app.get(`http://b.proxy.test${path}`, headers)).status).toBe(401);
    expect((await app.get('http://b.proxy.test/v1/repositories/team/app/tags/latest', headers)).status).toBe(
      401,
    );
    const old = await app.get('/v1/repositories/old/team/app/images', as('alice:secret'));
    const mixed = { ...headers, Authorization: `Token ${old.header('x-docker-token')}` };
    both.forget();
    expect((await app.get(path, mixed)).status).toBe(401);
    expect(both.asked).toEqual([]);
  });
});

describe('an address that is not configured', () => {
  it.each([
    '/v2/team/app/manifests/latest?ns=evil.test',
    '/v2/team/app/manifests/latest?ns=http%3A%2F%2Fevil.test%2F',
    'http://evil.test/v2/team/app/manifests/latest',
    'http://evil.test:9999/v2/team/app/tags/list?n=1&last=http://evil.test',
    '/v2/a/evil.test/x/manifests/latest',
    '/v2/a/..%2f..%2fevil.test/manifests/latest',
    '/token?service=evil.test&scope=repository:x:pull&realm=http://evil.test',
    '/v1/repositories/evil.test/x/images',
    '/v1/search?q=evil.test',
  ])('is never asked: %s', async (path) => {
    const all = network({ [a]: images(), [b]: images() });
    const config = {
      upstreamAuth: 'anonymous',
      routes: [{ upstream: b }, { upstream: a, match: { path: 'a/', ns: 'a.test' } }],
    };
    for (const headers of [{}, { Host: 'evil.test' }, { 'X-Forwarded-Host': 'evil.test' }]) {
      await over(config, all).get(path, headers);
    }
    expect(all.asked.filter(({ origin }) => origin !== a && origin !== b)).toEqual([]);
  });
});
