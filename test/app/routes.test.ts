import { describe, expect, it } from 'vitest';
import { type TestApp, testApp } from '../support/app.ts';
import { holding, type Network, network } from '../support/network.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';

const hub = 'https://registry-1.docker.io';
const quay = 'https://quay.test';
const own = 'http://own.test:5000';

const docker19 = manifestRequestHeaders['Docker 1.9.1'];
const docker113 = manifestRequestHeaders['Docker 1.13.1'];

function over(config: object, registries: Network, variables: Record<string, string> = {}): TestApp {
  return testApp(
    { REGSHIFT_CONFIG: JSON.stringify(config), ...variables, REGSHIFT_UPSTREAM: '' },
    registries.fetch,
  );
}

const three = () =>
  network({
    [hub]: holding({ 'library/busybox': 'sample/oci', 'team/app': 'sample/oci' }),
    [quay]: holding({ 'team/app': 'sample/schema2', 'library/busybox': 'sample/schema2' }),
    [own]: holding({ 'team/app': 'sample/index', 'deep/er/name': 'sample/generic' }),
  });

const shared = {
  upstreamAuth: 'anonymous',
  routes: [
    { match: { path: 'hub/', ns: 'docker.io' }, upstream: 'docker.io' },
    { match: { path: ['quay', 'q/'], ns: 'quay.io' }, upstream: quay },
    { match: { host: 'own.proxy.test' }, upstream: own },
    { match: { port: 5001 }, upstream: quay },
    { match: { alias: { 'short/name': 'deep/er/name' } }, upstream: own },
  ],
};

// Users write `docker.io`; the configuration file requires a URL.
shared.routes[0] = { match: { path: 'hub/', ns: 'docker.io' }, upstream: 'https://docker.io' } as never;

describe('a request finds its route', () => {
  it.each([
    ['[2001:0db8::1]', '[2001:db8::1]'],
    ['[::FFFF:192.0.2.1]', '[::ffff:192.0.2.1]:5000'],
    ['[::FFFF:192.0.2.1]:5000', '[::ffff:c000:201]:5000'],
    ['127.1', '127.0.0.1'],
    ['Images.example', 'images.example.'],
    ['images.example.', 'images.example'],
    ['images.example.:80', 'images.example'],
  ])('of the host %s by Host: %s, whatever the spelling', async (host, asked) => {
    const registries = network({ [own]: holding({}), [quay]: holding({}) });
    const routes = [{ match: { host }, upstream: own }, { upstream: quay }];
    await over({ upstreamAuth: 'anonymous', routes }, registries).get(
      `http://${asked}/v2/team/app/tags/list`,
    );
    expect([registries.at(own).length > 0, registries.at(quay)]).toEqual([true, []]);
  });

  it.each([
    ['by path', '/v2/hub/team/app', hub, 'team/app'],
    ['by another path', '/v2/q/team/app', quay, 'team/app'],
    ['by path, and Docker Hub adds library/', '/v2/hub/busybox', hub, 'library/busybox'],
    ['by path, with library/ in the name', '/v2/hub/library/busybox', hub, 'library/busybox'],
    ['by host', 'http://own.proxy.test/v2/team/app', own, 'team/app'],
    ['by host, whatever its port', 'http://OWN.proxy.test:8443/v2/team/app', own, 'team/app'],
    ['by host, a path is part of the name', 'http://own.proxy.test/v2/hub/team/app', own, 'hub/team/app'],
    ['by port', 'http://regshift.test:5001/v2/team/app', quay, 'team/app'],
    ['by alias', '/v2/short/name', own, 'deep/er/name'],
  ])('%s', async (_, asked, origin, name) => {
    const registries = three();
    const app = over(shared, registries);
    await app.get(`${asked}/manifests/latest`, docker19);
    expect(registries.asked.length).toBeGreaterThan(0);
    for (const each of registries.asked) {
      expect(each.origin).toBe(origin);
      expect(each.path).toMatch(new RegExp(`^/v2/${name}/(?:manifests|blobs)/`));
    }
  });

  it.each([
    ['docker.io', 'library/busybox', hub],
    ['docker.io', 'busybox', hub],
    ['quay.io', 'library/busybox', quay],
  ])('by ns: %s %s', async (ns, name, origin) => {
    const registries = three();
    const response = await over(shared, registries).get(`/v2/${name}/manifests/latest?ns=${ns}`, docker19);
    expect(response.status).toBe(200);
    expect(new Set(registries.asked.map((each) => each.origin))).toEqual(new Set([origin]));
  });

  it.each([
    '/v2/team/app/manifests/latest',
    '/v2/hub/manifests/latest',
    '/v2/hubble/app/manifests/latest',
    '/v2/team/app/tags/list?ns=ghcr.io',
    '/v2/hub2/x/blobs/sha256:ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  ])('or gets 404 when no route matches: %s', async (path) => {
    const registries = three();
    const response = await over(shared, registries).get(path);
    expect([response.status, response.error().code]).toEqual([404, 'NAME_UNKNOWN']);
    expect(response.error().message).toMatch(
      /^No route of this proxy leads to the repository "[^"]+" from here\.$/,
    );
    expect(registries.asked).toEqual([]);
  });

  it('or gets 404 at a host without a route, even for a ping', async () => {
    const registries = three();
    const app = over({ routes: [{ match: { host: 'a.test' }, upstream: own }] }, registries);
    const response = await app.get('http://b.test/v2/');
    expect([response.status, response.error().code]).toEqual([404, 'NAME_UNKNOWN']);
    expect(response.error().message).toBe(
      'No route of this proxy is for the address http://b.test. Check host and port in the name of the image.',
    );
    expect(registries.asked).toEqual([]);
    expect((await app.get('http://a.test/v2/')).status).toBe(200);
  });
});

describe('the registry that containerd names by ns', () => {
  const config = {
    upstreamAuth: 'anonymous',
    routes: [{ upstream: own }, { match: { ns: 'docker.io' }, upstream: hub }],
  };

  it('may be an address of IPv6', async () => {
    const registries = three();
    const routes = [config.routes[0], { match: { ns: '[2001:db8::7]:5000' }, upstream: hub }];
    const app = over({ ...config, routes }, registries);
    const ns = encodeURIComponent('[2001:db8::7]:5000');
    const response = await app.get(`/v2/team/app/manifests/latest?ns=${ns}`);
    expect([response.status, response.header('OCI-Namespace')]).toEqual([200, '[2001:db8::7]:5000']);
  });

  it('is ignored when no route matches by ns', async () => {
    const registries = three();
    const app = over({ routes: [{ upstream: own }] }, registries);
    expect((await app.get('/v2/team/app/manifests/latest?ns=anything.test')).status).toBe(200);
  });

  it('does not lead to the catch-all route when it is unknown', async () => {
    const registries = three();
    const app = over(config, registries);
    expect((await app.get('/v2/team/app/manifests/latest?ns=quay.io')).status).toBe(404);
    expect(registries.asked).toEqual([]);
    expect((await app.get('/v2/team/app/manifests/latest')).status).toBe(200);
    expect((await app.get('/v2/team/app/manifests/latest?ns=docker.io')).status).toBe(200);
    expect(new Set(registries.asked.map(({ origin }) => origin))).toEqual(new Set([own, hub]));
  });
});

describe('OCI-Namespace (distribution-spec after 1.1, "Registry Proxying")', () => {
  const config = {
    upstreamAuth: 'anonymous',
    routes: [
      { match: { path: 'hub', ns: 'docker.io', alias: { 'short/name': 'team/app' } }, upstream: hub },
      { upstream: own },
    ],
  };
  const nowhere = `sha256:${'0'.repeat(64)}`;

  it.each([
    ['manifests/latest', 200],
    ['manifests/none', 404],
    ['tags/list', 200],
    [`blobs/${nowhere}`, 404],
    [`referrers/${nowhere}`, 404],
  ])('is in the response to %s with the ns that chose the registry', async (path, status) => {
    const app = over(config, three());
    // The second response to a manifest is remembered.
    for (const method of ['GET', 'HEAD', 'GET', 'HEAD']) {
      const response = await app.send(method, `/v2/team/app/${path}?ns=docker.io`, docker113);
      expect([response.status, response.header('OCI-Namespace')]).toEqual([status, 'docker.io']);
    }
  });

  it.each([
    ['a request without ns', '/v2/team/app/manifests/latest'],
    ['an alias', '/v2/short/name/manifests/latest?ns=docker.io'],
    ['a path without ns', '/v2/hub/team/app/manifests/latest'],
  ])('is not in the response to %s', async (_, path) => {
    const response = await over(config, three()).get(path, docker113);
    expect([response.status, response.header('OCI-Namespace')]).toEqual([200, null]);
  });

  it('is not in the response where no route matches by ns', async () => {
    const app = over({ routes: [{ upstream: own }] }, three());
    const response = await app.get('/v2/team/app/manifests/latest?ns=docker.io', docker113);
    expect([response.status, response.header('OCI-Namespace')]).toEqual([200, null]);
  });
});

describe('names are those that the client uses', () => {
  it('in tags, and in the link to the next page', async () => {
    const registries = three();
    const response = await over(shared, registries).get('/v2/hub/busybox/tags/list?n=1');
    const { name } = JSON.parse(response.text()) as { name: string };
    expect(name).toBe('hub/busybox');
    registries.set(hub, () =>
      Response.json(
        { name: 'library/busybox', tags: ['a'] },
        { headers: { Link: '</v2/library/busybox/tags/list?n=1&last=a>; rel="next"' } },
      ),
    );
    const page = await over(shared, registries).get('/v2/hub/busybox/tags/list?n=1');
    expect(page.header('link')).toBe('</v2/hub/busybox/tags/list?n=1&last=a>; rel="next"');
  });

  it.each([
    ['/v2/hub/nothing/manifests/latest', 'manifest latest of hub/nothing'],
    ['/v2/quay/no/such/tags/list', 'tags of quay/no/such'],
    ['/v2/short/name/manifests/none', 'manifest none of short/name'],
  ])('in errors: %s', async (path, words) => {
    const response = await over(shared, three()).get(path);
    expect(response.error().message).toContain(words);
  });

  it('in the name to pull instead', async () => {
    const app = over(shared, three());
    const tag = await app.get('/v2/hub/busybox/manifests/latest');
    const digest = tag.header('regshift-source-digest');
    const response = await app.get(`/v2/hub/busybox/manifests/${digest}`, docker19);
    expect(response.error().message).toMatch(/Pull hub\/busybox@sha256:/);
  });

  it('in a search, of all routes of the host', async () => {
    const app = over(shared, three());
    const { results } = JSON.parse((await app.get('/v1/search')).text()) as { results: { name: string }[] };
    expect(results.map(({ name }) => name).sort()).toEqual([
      'hub/library/busybox',
      'hub/team/app',
      'quay/library/busybox',
      'quay/team/app',
      'short/name',
    ]);
  });

  it('in a search, while one of the registries fails', async () => {
    const registries = three();
    registries.set(hub, () => new Response('', { status: 503 }));
    const response = await over(shared, registries).get('/v1/search');
    expect(response.status).toBe(200);
    const { results } = JSON.parse(response.text()) as { results: { name: string }[] };
    expect(results.map(({ name }) => name).sort()).toEqual([
      'quay/library/busybox',
      'quay/team/app',
      'short/name',
    ]);
  });
});
