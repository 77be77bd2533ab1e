import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it, onTestFinished } from 'vitest';
import type { Facts } from '../../../../src/observability/log.ts';
import { version } from '../../../../src/version.ts';
import { freePort } from '../../../support/daemon.ts';
import { testSigningKey } from '../../../support/signing-key.ts';
import { projectRoot } from '../../../support/wrangler.ts';

/** Runs `serve` with these settings, sends requests, stops it, and returns its standard output. */
async function outputOf(variables: Record<string, string>, ready: string): Promise<string> {
  const port = await freePort();
  const child = spawn(process.execPath, ['src/cli.ts', 'serve'], {
    cwd: projectRoot,
    env: { PATH: process.env.PATH, PORT: String(port), REGSHIFT_SHUTDOWN_GRACE: '0', ...variables },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let out = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  await expect.poll(() => out, { timeout: 20_000 }).toContain(ready);
  for (const path of ['/v2/sample/oci/manifests/latest', '/v2/x/manifests/1', '/nowhere'])
    await (await fetch(`http://127.0.0.1:${port}${path}`)).arrayBuffer();
  const ended = once(child, 'close');
  child.kill('SIGTERM');
  await ended;
  return out;
}

const started = '"regshift serves"';
const away = { REGSHIFT_UPSTREAM: 'http://127.0.0.1:9' };

it.each<[string, Record<string, string>]>([
  ['the sample registry, without a signing key', {}],
  ['the sample registry, without a page', { REGSHIFT_PAGE: 'off', LOG_LEVEL: 'debug' }],
  ['a registry that is away, with metrics', { ...away, REGSHIFT_METRICS_PORT: '0' }],
  ['colours asked for', { FORCE_COLOR: '1', NO_COLOR: '', ...away }],
  [
    'a Redis that is away',
    {
      ...away,
      REGSHIFT_REDIS_URL: 'redis://127.0.0.1:9',
      REGSHIFT_SIGNING_KEY: JSON.stringify(testSigningKey),
    },
  ],
  [
    'several routes',
    {
      REGSHIFT_CONFIG: JSON.stringify({
        upstreamAuth: 'anonymous',
        routes: [
          { match: { path: 'a/' }, upstream: 'http://127.0.0.1:9', format: 'schema2' },
          { match: { path: 'b/' }, upstream: 'http://127.0.0.1:7' },
        ],
      }),
    },
  ],
])('each line of a pipe is a JSON object: %s', async (_, variables) => {
  const lines = (await outputOf(variables, started)).trimEnd().split('\n');
  const events = lines.map((line) => JSON.parse(line) as Facts);
  for (const event of events) {
    expect(event).toMatchObject({ level: expect.any(String), time: expect.any(String) });
    expect(typeof event.message).toBe('string');
  }
  expect(events.filter(({ message }) => message === 'request')).toHaveLength(3);
  const starts = events.filter(({ message }) => message === 'regshift serves');
  expect(starts).toHaveLength(1);
  expect(starts[0]).toMatchObject({
    version,
    addresses: [expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/)],
  });
  const { upstreams, forms } = starts[0] as { upstreams: object; forms: object };
  if ('REGSHIFT_CONFIG' in variables) {
    expect(upstreams).toEqual({ 'path=a/': 'http://127.0.0.1:9/', 'path=b/': 'http://127.0.0.1:7/' });
    expect(forms).toEqual({ 'path=a/': 'schema2', 'path=b/': 'auto' });
  } else {
    const upstream =
      'REGSHIFT_UPSTREAM' in variables ? 'http://127.0.0.1:9/' : 'the built-in sample registry';
    expect([upstreams, forms]).toEqual([{ all: upstream }, { all: 'auto' }]);
  }
});

it('LOG_FORMAT=text is text in a pipe, too, and has no colours there', async () => {
  const out = await outputOf(
    { LOG_FORMAT: 'text', FORCE_COLOR: '1', ...away },
    'regshift serves http://127.0.0.1:9/ on',
  );
  expect(out).toMatch(/ warn {2}request GET \/v2\/x\/manifests\/1 502 /);
  for (const absent of ['{', '\u001b']) expect(out).not.toContain(absent);
});
