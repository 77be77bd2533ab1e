import { afterEach, expect, test, vi } from 'vitest';
import { testSigningKey } from '../support/signing-key.ts';
import { isolate, namespace } from './isolate.ts';

afterEach(() => vi.restoreAllMocks());

test('a bad setting answers every request with all problems', async () => {
  const broken = isolate({ REGSHIFT_FORMAT: 'v1', REGSHIFT_TAG_TTL: 'soon' });
  for (const path of ['/v2/', '/healthz', '/v2/a/manifests/b', '/']) {
    const answer = await broken(path);
    expect(answer.status).toBe(503);
    const text = await answer.text();
    expect(text).toContain('REGSHIFT_FORMAT');
    expect(text).toContain('REGSHIFT_TAG_TTL');
  }
});

test('an account of its own without client auth is no open proxy, but a bad setting', async () => {
  const answer = await isolate({
    REGSHIFT_UPSTREAM: 'https://registry.example',
    REGSHIFT_UPSTREAM_AUTH: 'basic',
    REGSHIFT_UPSTREAM_USERNAME: 'robot',
    REGSHIFT_UPSTREAM_PASSWORD: 'secret',
  })('/v2/');
  expect(answer.status).toBe(503);
  expect(await answer.text()).toContain('REGSHIFT_CLIENT_AUTH');
});

test('a Redis is a bad setting here, told without its password', async () => {
  const answer = await isolate({
    REGSHIFT_REDIS_URL: 'redis://:hunter2@redis.example',
    REGSHIFT_SIGNING_KEY: JSON.stringify(testSigningKey),
  })('/v2/');
  expect(answer.status).toBe(503);
  const text = await answer.text();
  expect(text).toContain('REGSHIFT_REDIS_URL is (not shown): it must be left out on Workers');
  expect(text).not.toContain('hunter2');
});

test('a login in a credential helper is a bad setting here: there are no programs', async () => {
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

// `REGSHIFT_TAG_TTL = 60` in wrangler.toml comes as a number.
test.each([
  ['a number', { REGSHIFT_TAG_TTL: 60 }, 200],
  ['a number that is wrong', { REGSHIFT_TAG_TTL: -1 }, 503],
  ['a table', { REGSHIFT_JWKS: { keys: [] } }, 503],
  ['no string', { REGSHIFT_FORMAT: true }, 503],
])('a setting that is %s is read', async (_, bindings, status) => {
  expect((await isolate(bindings)('/v2/')).status).toBe(status);
});

test('the log is JSON on the console, and says once what is not bound', async () => {
  const lines: string[] = [];
  vi.spyOn(console, 'log').mockImplementation((line) => lines.push(line));
  const ask = isolate({ LOG_LEVEL: 'info' });
  await ask('/v2/');
  await ask('/v2/');
  const said = lines.map((line) => JSON.parse(line) as { level: string; message: string });
  expect(said.map(({ level }) => level)).toEqual(['warn', 'info', 'info']);
  expect(said[0]?.message).toContain('RECIPES');
  lines.length = 0;
  await isolate({ LOG_LEVEL: 'info', RECIPES: namespace })('/v2/');
  expect(lines).toHaveLength(1);
});

test('a plain page tells a browser where it is', async () => {
  const answer = await isolate()('/');
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain/);
  expect(await answer.text()).toContain('regshift');
});
