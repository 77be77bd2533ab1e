import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import worker from '../../src/runtime/worker/entry.ts';
import { testSigningKey } from '../support/signing-key.ts';
import { behind, isolate, namespace } from './isolate.ts';

beforeEach(() => void vi.spyOn(console, 'log').mockReturnValue(undefined));

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

test('a wrong setting makes every response the list of all problems', async () => {
  const broken = isolate({ REGSHIFT_FORMAT: 'v1', REGSHIFT_TAG_TTL: 'soon' });
  for (const path of ['/v2/', '/healthz', '/v2/a/manifests/b', '/']) {
    const answer = await broken(path);
    expect(answer.status).toBe(503);
    const text = await answer.text();
    expect(text).toContain('REGSHIFT_FORMAT');
    expect(text).toContain('REGSHIFT_TAG_TTL');
  }
});

test('the list shows no address, which would tell anyone about the network behind', async () => {
  const config = JSON.stringify({ routes: [{ upstream: 'ftp://two.internal' }] });
  const answer = await isolate({ REGSHIFT_UPSTREAM: 'one.internal:5000', REGSHIFT_CONFIG: config })('/v2/');
  const text = await answer.text();
  expect(text).toContain('REGSHIFT_UPSTREAM must be a URL');
  expect(text).toContain('routes[0].upstream in REGSHIFT_CONFIG must be a URL');
  expect(text).not.toContain('internal');
});

test('an upstream account without client auth is an error, not an open proxy', async () => {
  const answer = await isolate({
    REGSHIFT_UPSTREAM: 'https://registry.example',
    REGSHIFT_UPSTREAM_AUTH: 'basic',
    REGSHIFT_UPSTREAM_USERNAME: 'robot',
    REGSHIFT_UPSTREAM_PASSWORD: 'secret',
  })('/v2/');
  expect(answer.status).toBe(503);
  expect(await answer.text()).toContain('REGSHIFT_CLIENT_AUTH');
});

test('a Redis address is an error on Workers, reported without its password', async () => {
  const answer = await isolate({
    REGSHIFT_REDIS_URL: 'redis://:hunter2@redis.example',
    REGSHIFT_SIGNING_KEY: JSON.stringify(testSigningKey),
  })('/v2/');
  expect(answer.status).toBe(503);
  const text = await answer.text();
  expect(text).toContain('REGSHIFT_REDIS_URL must be left out on Workers');
  expect(text).not.toContain('hunter2');
});

test('an outbound proxy, or a registry without verification, is an error on Workers, reported without its login', async () => {
  const answer = await isolate({
    REGSHIFT_UPSTREAM: 'https://registry.example',
    REGSHIFT_UPSTREAM_PROXY: 'http://user:hunter2@proxy.example:3128',
    REGSHIFT_UPSTREAM_INSECURE: 'true',
  })('/v2/');
  expect(answer.status).toBe(503);
  const text = await answer.text();
  expect(text).toContain('REGSHIFT_UPSTREAM_PROXY must be left out on Workers');
  expect(text).toContain('REGSHIFT_UPSTREAM_INSECURE must be left out on Workers');
  expect(text).not.toContain('hunter2');
});

test.each(['REGSHIFT_UPSTREAM_CA', 'REGSHIFT_UPSTREAM_CERT', 'REGSHIFT_UPSTREAM_KEY'])(
  '%s of a route is an error on Workers, reported without its value',
  async (variable) => {
    const certificate = '-----BEGIN CERTIFICATE-----\nhunter2\n-----END CERTIFICATE-----\n';
    const key = '-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n';
    const mutual = { REGSHIFT_UPSTREAM_CERT: certificate, REGSHIFT_UPSTREAM_KEY: key };
    const answer = await isolate({
      REGSHIFT_UPSTREAM: 'https://registry.example',
      ...(variable === 'REGSHIFT_UPSTREAM_CA' ? { [variable]: certificate } : mutual),
    })('/v2/');
    expect(answer.status).toBe(503);
    const text = await answer.text();
    expect(text).toContain(`${variable} must be left out on Workers`);
    expect(text).not.toContain('hunter2');
  },
);

test.each([
  ['192.0.2.9', 'https://images.example'],
  ['198.51.100.9', 'https://regshift.test'],
])('the host that %s reports counts if it is a trusted proxy', async (address, origin) => {
  const headers = { 'WWW-Authenticate': 'Bearer realm="https://auth.test/token",service="r"' };
  const upstream = behind(async () => new Response('{}', { status: 401, headers }));
  const ask = isolate({ ...upstream, REGSHIFT_TRUSTED_PROXIES: '192.0.2.0/24' });
  const answer = await ask('/v2/', [
    ['CF-Connecting-IP', address],
    ['X-Forwarded-Host', 'images.example'],
    ['X-Forwarded-Proto', 'https'],
  ]);
  expect(answer.headers.get('www-authenticate')).toContain(`realm="${origin}/token"`);
});

test('a login in a credential helper is an error on Workers, which run no programs', async () => {
  const answer = await isolate({
    REGSHIFT_UPSTREAM: 'https://registry.example',
    REGSHIFT_UPSTREAM_AUTH: 'docker-config',
    REGSHIFT_CLIENT_AUTH: 'none',
    REGSHIFT_DOCKER_CONFIG: { credHelpers: { 'registry.example': 'ecr-login' } },
  })('/v2/');
  expect(answer.status).toBe(503);
  expect(await answer.text()).toContain(
    'docker-credential-ecr-login keeps it, and there are no programs to run',
  );
});

test.each([
  ['ecr', 'https://123456789012.dkr.ecr.eu-west-1.amazonaws.com', 'AWS_ACCESS_KEY_ID'],
  ['gcp', 'https://europe-docker.pkg.dev', 'REGSHIFT_GOOGLE_KEY'],
])('the role of a machine (%s) is an error on Workers, which have none', async (mode, registry, variable) => {
  const answer = await isolate({
    REGSHIFT_UPSTREAM: registry,
    REGSHIFT_UPSTREAM_AUTH: mode,
    REGSHIFT_CLIENT_AUTH: 'none',
  })('/v2/');
  expect(answer.status).toBe(503);
  expect(await answer.text()).toContain(`${variable} is not set: it must be set on Workers`);
});

// Wrangler passes `REGSHIFT_TAG_TTL = 60` in wrangler.toml as a number.
test.each([
  ['a number', { REGSHIFT_TAG_TTL: 60 }, 200],
  ['a number that is wrong', { REGSHIFT_TAG_TTL: -1 }, 503],
  ['a table', { REGSHIFT_JWKS: { keys: [] } }, 503],
  ['no string', { REGSHIFT_FORMAT: true }, 503],
])('a setting that is %s is read', async (_, bindings, status) => {
  expect((await isolate(bindings)('/v2/')).status).toBe(status);
});

test('the log is JSON on the console, and reports a missing binding once', async () => {
  const lines: string[] = [];
  vi.spyOn(console, 'log').mockImplementation((line) => lines.push(line));
  const ask = isolate({ LOG_LEVEL: 'info' });
  await ask('/v2/');
  await ask('/v2/');
  const records = lines.map((line) => JSON.parse(line) as { level: string; message: string });
  expect(records.map(({ level }) => level)).toEqual(['warn', 'info', 'info']);
  expect(records[0]?.message).toContain('RECIPES');
  lines.length = 0;
  await isolate({ LOG_LEVEL: 'info', RECIPES: namespace })('/v2/');
  expect(lines).toHaveLength(1);
});

test('the log has the problems once, with the addresses that a response does not show', async () => {
  const lines: string[] = [];
  vi.spyOn(console, 'log').mockImplementation((line) => lines.push(line));
  const ask = isolate({ REGSHIFT_UPSTREAM: 'one.internal:5000', REGSHIFT_UPSTREAM_PASSWORD: 'hunter2' });
  await ask('/v2/');
  await ask('/v2/');
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({
      level: 'error',
      message: 'settings are wrong: every response is 503 with the list of problems',
      problems: expect.stringContaining('REGSHIFT_UPSTREAM is "one.internal:5000": it must be a URL'),
    }),
  ]);
  expect(lines.join()).not.toContain('hunter2');
});

test('the log has a key that cannot be used', async () => {
  const lines: string[] = [];
  vi.spyOn(console, 'log').mockImplementation((line) => lines.push(line));
  const { x, y } = testSigningKey;
  await isolate({ REGSHIFT_SIGNING_KEY: JSON.stringify({ ...testSigningKey, x: y, y: x }) })('/v2/');
  expect(lines.join()).toContain('REGSHIFT_SIGNING_KEY cannot be used');
});

test('the log warns of a variable without its prefix, and of a registry that no request reaches', async () => {
  const lines: string[] = [];
  vi.spyOn(console, 'log').mockImplementation((line) => lines.push(line));
  const routes = [{ match: { path: 'a/' }, upstream: 'https://a.example', upstreamAuth: 'anonymous' }];
  const settings = { LOG_LEVEL: 'warn', REGSHIFT_CONFIG: { routes }, RECIPES: namespace };
  await isolate({ ...settings, REGSHIFT_UPSTREAM: 'https://b.example', TAG_TTL: '5' })('/livez');
  expect(lines.map((line) => (JSON.parse(line) as { message: string }).message)).toEqual([
    'REGSHIFT_UPSTREAM has no effect: each route in REGSHIFT_CONFIG has its own upstream.',
    'TAG_TTL is not a setting of regshift: did you mean REGSHIFT_TAG_TTL?',
  ]);
});

// An environment of wrangler.toml does not inherit `vars` (Cloudflare, "Wrangler configuration", Non-inheritable keys).
test('a registry that is not named makes every response say so, in place of the sample registry', async () => {
  for (const upstream of [undefined, '']) {
    const answer = await isolate({ REGSHIFT_UPSTREAM: upstream })('/v2/');
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain(
      'REGSHIFT_UPSTREAM is not set: it must be the URL of your registry, like https://registry.example, on Workers.',
    );
  }
});

test('a browser gets a plain page that names regshift', async () => {
  const answer = await isolate()('/');
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain/);
  expect(await answer.text()).toContain('regshift');
});

test('a wrong signing key makes every response the list, which does not quote it', async () => {
  const { x, y } = testSigningKey;
  for (const key of ['hunter2', JSON.stringify({ ...testSigningKey, x: y, y: x })]) {
    const answer = await isolate({ REGSHIFT_SIGNING_KEY: key })('/v2/');
    expect(answer.status).toBe(503);
    const text = await answer.text();
    expect(text).toContain('REGSHIFT_SIGNING_KEY cannot be used: The signing key cannot be read');
    expect(text).not.toContain('hunter2');
  }
});

test.each([
  ['RECIPES', (env as { TEST_LAYERS?: unknown }).TEST_LAYERS, 'a KV namespace'],
  ['RECIPES', 'text', 'a KV namespace'],
  ['LAYERS', namespace, 'a bucket of R2'],
])('%s bound to another kind makes every response the list', async (name, binding, kind) => {
  expect(binding).toBeDefined();
  const answer = await isolate({ [name]: binding })('/v2/');
  expect(answer.status).toBe(503);
  expect(await answer.text()).toContain(`${name} must be bound to ${kind}, or left out`);
});

test.each([undefined, null])('%s in place of bindings makes every response say so', async (bindings) => {
  const answer = await worker.fetch(new Request('https://regshift.test/v2/'), bindings as unknown as object);
  expect(answer.status).toBe(503);
  expect(await answer.text()).toContain('env must be the second argument of fetch');
});
