import { describe, expect, it } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { createSampleRegistry } from '../../src/sample-registry/registry.ts';
import { testApp } from '../support/app.ts';
import { type Script, scriptedUpstream, specError } from '../support/scripted-upstream.ts';

const page = 'https://ui.example.test';
const latest = '/v2/sample/oci/manifests/latest';
const layer = `/v2/sample/oci/blobs/${digestOf(new Uint8Array())}`;
const docker = { 'User-Agent': 'docker/1.13.1', Accept: mediaTypes.schema2 };

/** Headers of a registry that lets one origin read. */
function corsOf(origin: string | null): Record<string, string> {
  if (origin === null) return {};
  return {
    'Access-Control-Allow-Origin': origin === page ? page : 'null',
    'Access-Control-Allow-Methods': 'GET, HEAD',
    'Access-Control-Allow-Headers': 'Authorization, Accept',
    'Access-Control-Allow-Credentials': 'true',
    'Access-Control-Expose-Headers': 'Docker-Content-Digest',
    'X-Internal': 'host-17',
  };
}

const preflightOf = (origin: string) => ({
  Origin: origin,
  'Access-Control-Request-Method': 'GET',
  'Access-Control-Request-Headers': 'authorization',
});

/** A registry with CORS headers on each response, behind a login if there is one. */
function registry(login?: string) {
  const samples = createSampleRegistry();
  const script: Script = async (request, url) => {
    const more = corsOf(request.headers.get('origin'));
    if (request.method === 'OPTIONS') return new Response(null, { status: 204, headers: more });
    if (login && request.headers.get('authorization') !== login) {
      return specError(401, 'UNAUTHORIZED', { ...more, 'WWW-Authenticate': 'Basic realm="registry.test"' });
    }
    const { method, headers } = request;
    const { status, headers: own, body } = await samples.fetch(url.href, { method, headers });
    return new Response(body, { status, headers: { ...Object.fromEntries(own), ...more } });
  };
  return scriptedUpstream(script);
}

const ownAccount = {
  REGSHIFT_UPSTREAM_AUTH: 'basic',
  REGSHIFT_UPSTREAM_USERNAME: 'proxy',
  REGSHIFT_UPSTREAM_PASSWORD: 'secret',
  REGSHIFT_CLIENT_AUTH: 'none',
};
const proxyLogin = `Basic ${btoa('proxy:secret')}`;

describe('a preflight', () => {
  it('is answered by the registry, before any login', async () => {
    const upstream = registry('Basic nobody');
    const response = await testApp({}, upstream.fetch).send('OPTIONS', latest, preflightOf(page));
    expect(response.status).toBe(204);
    expect(response.header('Access-Control-Allow-Origin')).toBe(page);
    expect(response.header('Access-Control-Allow-Headers')).toBe('Authorization, Accept');
    expect(response.header('Vary')).toContain('Origin');
    expect(response.header('X-Internal')).toBeNull();
    expect(upstream.asked).toEqual([`OPTIONS ${latest}`]);
    expect(upstream.carried).toEqual([null]);
  });

  it.each(['/v2/', '/v2/_catalog', '/token', layer, '/v2/sample/oci/tags/list'])('of %s', async (path) => {
    const response = await testApp({}, registry().fetch).send('OPTIONS', path, preflightOf(page));
    expect([response.status, response.header('Access-Control-Allow-Origin')]).toEqual([204, page]);
  });

  it.each([
    ['the login of each client', {}, 401, 'Bearer realm="https://auth.test/token"'],
    ['an account of the proxy', { ...ownAccount, REGSHIFT_CORS: 'registry' }, 403, null],
    ['no login', { REGSHIFT_UPSTREAM_AUTH: 'anonymous', REGSHIFT_CORS: 'registry' }, 403, null],
  ])(
    'that the registry refuses has a challenge for clients alone: %s',
    async (_, settings, status, shown) => {
      const challenge = { 'WWW-Authenticate': 'Bearer realm="https://auth.test/token"' };
      const upstream = scriptedUpstream(() => specError(401, 'UNAUTHORIZED', challenge));
      const response = await testApp(settings, upstream.fetch).send('OPTIONS', latest, preflightOf(page));
      expect([response.status, response.header('WWW-Authenticate')]).toEqual([status, shown]);
    },
  );

  it('asks for the repository by its name upstream', async () => {
    const upstream = registry();
    const app = testApp({ REGSHIFT_ALIASES: 'short=sample/oci' }, upstream.fetch);
    await app.send('OPTIONS', '/v2/short/tags/list', preflightOf(page));
    expect(upstream.asked).toEqual(['OPTIONS /v2/sample/oci/tags/list']);
  });

  it('without Origin is none: 405 as before', async () => {
    const upstream = registry();
    expect((await testApp({}, upstream.fetch).send('OPTIONS', latest)).status).toBe(405);
    expect(upstream.asked).toEqual([]);
  });
});

describe('a response to a web page', () => {
  const app = testApp({}, registry().fetch);

  it.each([
    ['a stored manifest', latest, 200],
    ['a converted manifest', latest, 200],
    ['a list', '/v2/sample/oci/tags/list', 200],
    ['an error', '/v2/sample/none/manifests/latest', 404],
    ['a missing blob', layer, 404],
    ['the ping', '/v2/', 200],
    ['a path that is wrong', '/v2/sample/oci/nothing', 404],
  ])("%s has the registry's headers", async (what, path, status) => {
    const headers = what.startsWith('a converted') ? docker : { Accept: '*/*' };
    const response = await app.get(path, { ...headers, Origin: page });
    expect([response.status, response.header('Access-Control-Allow-Origin')]).toEqual([status, page]);
    expect(response.header('Access-Control-Allow-Credentials')).toBe('true');
    expect(response.header('Vary')).toMatch(/\bOrigin$/);
    expect(response.header('X-Internal')).toBeNull();
  });

  it('a blob has them', async () => {
    const stored = await app.get(latest, { Accept: '*/*' });
    const { layers } = JSON.parse(stored.text()) as { layers: { digest: string }[] };
    const response = await app.get(`/v2/sample/oci/blobs/${layers[0]?.digest}`, { Origin: page });
    expect([response.status, response.header('Access-Control-Allow-Origin')]).toEqual([200, page]);
    expect(digestOf(response.body)).toBe(layers[0]?.digest);
  });

  it('the challenge of a login has them', async () => {
    const response = await testApp({}, registry('Basic nobody').fetch).get(latest, { Origin: page });
    expect([response.status, response.header('Access-Control-Allow-Origin')]).toEqual([401, page]);
    expect(response.header('WWW-Authenticate')).toContain('Basic');
  });

  it('a request without Origin gets none, and asks the registry nothing more', async () => {
    const upstream = registry();
    const response = await testApp({}, upstream.fetch).get(latest, { Accept: '*/*' });
    expect([...response.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
    const plain = scriptedUpstream();
    await testApp({}, plain.fetch).get(latest, { Accept: '*/*' });
    expect(upstream.asked).toEqual(plain.asked);
  });

  it('is not remembered: each origin gets the answer about itself', async () => {
    const upstream = registry();
    const fresh = testApp({}, upstream.fetch);
    const ask = (origin?: string) =>
      fresh.get(latest, { Accept: '*/*', ...(origin ? { Origin: origin } : {}) });
    expect((await ask(page)).header('Access-Control-Allow-Origin')).toBe(page);
    expect((await ask('https://evil.test')).header('Access-Control-Allow-Origin')).toBe('null');
    expect((await ask()).header('Access-Control-Allow-Origin')).toBeNull();
    upstream.forget();
    expect((await ask(page)).header('Access-Control-Allow-Origin')).toBe(page);
    expect(upstream.asked).toEqual([`HEAD ${latest}`]);
  });

  it('comes without headers where the registry fails', async () => {
    const upstream = scriptedUpstream((request) =>
      request.headers.has('origin') ? specError(503, 'UNAVAILABLE') : undefined,
    );
    const response = await testApp({}, upstream.fetch).get(latest, { Accept: '*/*', Origin: page });
    expect([response.status, response.header('Access-Control-Allow-Origin')]).toEqual([200, null]);
  });
});

describe('a POST of a web page, which a browser sends without asking', () => {
  const uploads = '/v2/sample/oci/blobs/uploads/?mount=sha256:1&from=a';
  const settings = { ...ownAccount, REGSHIFT_PUSH: 'allow' };
  const post = (app: ReturnType<typeof testApp>, headers: Record<string, string>) =>
    app.send('POST', uploads, headers, { body: new Uint8Array() });

  it.each([
    ['https://evil.test', {}, {}],
    ['null', {}, {}],
    ['https://evil.test', { 'Sec-Fetch-Site': 'cross-site' }, {}],
    ['http://regshift.test:81', { 'Sec-Fetch-Site': 'same-site' }, {}],
    [page, {}, { REGSHIFT_CORS: 'never' }],
  ])('of %s with %o goes nowhere', async (origin, more, cors) => {
    const upstream = registry(proxyLogin);
    const response = await post(testApp({ ...settings, ...cors }, upstream.fetch), {
      Origin: origin,
      ...more,
    });
    expect([response.status, response.error().code]).toEqual([403, 'DENIED']);
    expect(upstream.asked.filter((each) => each.startsWith('POST'))).toEqual([]);
  });

  it.each([
    ['http://regshift.test', {}, {}],
    ['https://regshift.test', {}, {}],
    ['https://ui.elsewhere.test', { 'Sec-Fetch-Site': 'same-origin' }, {}],
    [page, { 'Sec-Fetch-Site': 'cross-site' }, { REGSHIFT_CORS: 'registry' }],
  ])('of %s with %o reaches the registry', async (origin, more, cors) => {
    const upstream = registry(proxyLogin);
    await post(testApp({ ...settings, ...cors }, upstream.fetch), { Origin: origin, ...more });
    expect(upstream.asked.some((each) => each.startsWith('POST'))).toBe(true);
  });
});

it('a reference that leads out of its repository is no path to ask about', async () => {
  const upstream = registry();
  const path = '/v2/sample/oci/manifests/..%2F..%2F..%2Fsecret%2Fmanifests%2Flatest';
  await testApp({}, upstream.fetch).get(path, { Origin: page });
  expect(upstream.asked.filter((each) => each.includes('secret'))).toEqual([]);
});

describe('with an account of the proxy', () => {
  it('no header passes, and no preflight', async () => {
    const upstream = registry(proxyLogin);
    const app = testApp(ownAccount, upstream.fetch);
    const response = await app.get(latest, { Accept: '*/*', Origin: page });
    expect([response.status, response.header('Access-Control-Allow-Origin')]).toEqual([200, null]);
    expect((await app.send('OPTIONS', latest, preflightOf(page))).status).toBe(405);
  });

  it('REGSHIFT_CORS=registry lets them pass, without the right to logins that a browser remembers', async () => {
    const app = testApp({ ...ownAccount, REGSHIFT_CORS: 'registry' }, registry(proxyLogin).fetch);
    const response = await app.get(latest, { Accept: '*/*', Origin: page });
    expect([response.status, response.header('Access-Control-Allow-Origin')]).toEqual([200, page]);
    expect(response.header('Access-Control-Allow-Credentials')).toBeNull();
    const preflight = await app.send('OPTIONS', latest, preflightOf(page));
    expect([preflight.status, preflight.header('Access-Control-Allow-Credentials')]).toEqual([204, null]);
  });

  it('a stranger gets the challenge with headers, and nothing that the account may read', async () => {
    const upstream = registry(proxyLogin);
    const htpasswd = 'alice:$2y$04$rAP27xZFf66nZ7qsxBNBNeY7LyDBWhMc1PbydfHbXcwGWGnoRZZpq';
    const settings = {
      ...ownAccount,
      REGSHIFT_CLIENT_AUTH: 'basic',
      REGSHIFT_HTPASSWD: htpasswd,
      REGSHIFT_CORS: 'registry',
    };
    const response = await testApp(settings, upstream.fetch).get(latest, { Accept: '*/*', Origin: page });
    expect([response.status, response.header('Access-Control-Allow-Origin')]).toEqual([401, page]);
    expect(upstream.carried.filter((each) => each !== null)).toEqual([]);
  });
});

it('REGSHIFT_CORS=never keeps all headers back', async () => {
  const app = testApp({ REGSHIFT_CORS: 'never' }, registry().fetch);
  const response = await app.get(latest, { Accept: '*/*', Origin: page });
  expect([response.status, response.header('Access-Control-Allow-Origin')]).toEqual([200, null]);
  expect((await app.send('OPTIONS', latest, preflightOf(page))).status).toBe(405);
});
