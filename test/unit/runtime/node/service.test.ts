import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { readSettings } from '../../../../src/config/settings.ts';
import type { Facts } from '../../../../src/observability/log.ts';
import { createNodeLog } from '../../../../src/runtime/node/log.ts';
import { serve } from '../../../../src/runtime/node/serve.ts';
import { checkedSettings } from '../../../support/checked-settings.ts';
import { blobPath, startLengthlessRegistry } from '../../../support/lengthless-registry.ts';
import { rawRequest } from '../../../support/raw-http.ts';
import { startServeProcess } from '../../../support/serve-process.ts';
import { testSigningKey } from '../../../support/signing-key.ts';
import { projectRoot } from '../../../support/wrangler.ts';

async function start(variables: Record<string, string> = {}) {
  const read = readSettings({
    PORT: '0',
    REGSHIFT_SIGNING_KEY: JSON.stringify(testSigningKey),
    ...variables,
  });
  const logged: Facts[] = [];
  const running = await serve(await checkedSettings(read), (_level, message, facts = {}) => {
    if (message === 'request') logged.push(facts);
  });
  onTestFinished(() => running.close());
  const port = Number(new URL(running.url).port);
  const get = (headers: Record<string, string> = {}, method = 'GET') => {
    const path = '/v2/sample/oci/manifests/latest';
    return rawRequest({ port, method, path, headers: Object.entries(headers) });
  };
  return { get, logged };
}

it('names each request, held or not, to its client and in the log', async () => {
  const { get, logged } = await start();
  const answers = [await get(), await get(), await get({ 'X-Request-Id': 'anyone' })];
  await expect.poll(() => logged.length).toBe(3);
  const ids = answers.map((answer) => answer.header('X-Request-Id'));
  expect(new Set(ids).size).toBe(3);
  expect(logged.map(({ id }) => id)).toEqual(ids);
  expect(logged.map(({ cache }) => cache)).toEqual(['upstream', 'held', 'held']);
  expect(ids).not.toContain('anyone');
});

it('takes over the name that a trusted proxy gave, where it is one', async () => {
  const { get } = await start({ REGSHIFT_TRUSTED_PROXIES: '127.0.0.1' });
  for (const _ of [1, 2]) {
    expect((await get({ 'X-Request-Id': 'edge-17' })).header('X-Request-Id')).toBe('edge-17');
    expect((await get({ 'X-Request-Id': 'a "b"' })).header('X-Request-Id')).not.toContain('b"');
  }
});

it('tells the bytes that went out, with headers', async () => {
  const { get, logged } = await start();
  const headBytes = ({ headers }: Awaited<ReturnType<typeof get>>) =>
    headers.reduce(
      (sum, [name, value]) => sum + name.length + value.length + 4,
      'HTTP/1.1 200 OK\r\n\r\n'.length,
    );
  const answers = [await get(), await get(), await get({}, 'HEAD')];
  await expect.poll(() => logged.length).toBe(3);
  expect(logged.map(({ bytes }) => bytes)).toEqual(
    answers.map((answer) => headBytes(answer) + answer.body.length),
  );
});

it('writes every line, in order, however many and however late', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'regshift-lines-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'log');
  const { log, flush } = createNodeLog(
    { LOG_LEVEL: 'info', LOG_FORMAT: 'json' },
    openSync(file, 'w'),
    undefined,
  );
  const said = Array.from({ length: 5_000 }, (_, index) => `line ${index} é`);
  for (const each of said) log('info', each, { number: 1, nothing: undefined });
  log('debug', 'less than what is wanted');
  await expect.poll(() => readFileSync(file, 'utf8').split('\n').length).toBe(5_001);
  log('warn', 'last');
  await flush();
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  const records = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(records.map(({ message }) => message)).toEqual([...said, 'last']);
  expect(Object.keys(records[0] ?? {}).toSorted()).toEqual(['level', 'message', 'number', 'time']);
  expect(records.at(-1)).toMatchObject({ level: 'warn', time: expect.stringMatching(/^20\d\d-.*Z$/) });
});

it.each([
  ['SIGTERM', 0, 1],
  ['SIGINT', 0, 1],
  ['SIGTERM', 143, 2],
] as const)(
  'as a process: %s ends it with %i, sent %i times, and no line is lost',
  async (signal, code, times) => {
    const grace = times === 1 ? '0' : '60';
    const { port, child, output } = await startServeProcess({ REGSHIFT_SHUTDOWN_GRACE: grace });
    await fetch(`http://127.0.0.1:${port}/v2/`);
    const ended = once(child, 'close');
    child.kill(signal);
    if (times === 2) {
      await expect.poll(async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(503);
      child.kill(signal);
    }
    expect(await ended).toEqual([code, null]);
    const lines = output()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ message }) => message)).toEqual(
      expect.arrayContaining(['request', 'stopping: no longer ready']),
    );
    if (times === 1) expect(lines.at(-1)?.message).toBe('stopped');
  },
);

it.each(['SIGTERM', 'SIGINT'] as const)(
  'as a process: %s ends it with 0 while it waits for a login at its start, and SIGHUP does not',
  async (signal) => {
    const folder = mkdtempSync(join(tmpdir(), 'regshift-start-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const asked = join(folder, 'asked');
    const helper = `#!/bin/sh\n: > '${asked}'\nexec sleep 5\n`;
    writeFileSync(join(folder, 'docker-credential-slow'), helper, { mode: 0o755 });
    const child = spawn(process.execPath, ['src/cli.ts', 'serve'], {
      cwd: projectRoot,
      env: {
        PATH: `${folder}:${process.env.PATH}`,
        PORT: '0',
        REGSHIFT_UPSTREAM: 'http://127.0.0.1:9',
        REGSHIFT_UPSTREAM_AUTH: 'docker-config',
        REGSHIFT_CLIENT_AUTH: 'none',
        REGSHIFT_DOCKER_CONFIG: '{"credHelpers":{"127.0.0.1:9":"slow"}}',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    await expect.poll(() => existsSync(asked), { timeout: 20_000 }).toBe(true);
    const ended = once(child, 'exit');
    child.kill('SIGHUP');
    await new Promise((resolve) => setTimeout(resolve, 100));
    child.kill(signal);
    expect(await ended).toEqual([0, null]);
  },
);

it.each([
  [{ color: true }, '\u001b[33mwarn \u001b[39m', '\u001b[31merror\u001b[39m'],
  [{ color: false }, 'warn ', 'error'],
])('shows levels in colour on a terminal that has colours: %j', async (terminal, warn, error) => {
  const folder = mkdtempSync(join(tmpdir(), 'regshift-lines-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'log');
  const settings = { LOG_LEVEL: 'info', LOG_FORMAT: 'auto' } as const;
  const { log, flush, isText } = createNodeLog(settings, openSync(file, 'w'), terminal);
  expect(isText).toBe(true);
  for (const level of ['info', 'warn', 'error'] as const) log(level, 'a message');
  await expect.poll(() => readFileSync(file, 'utf8').split('\n').length).toBe(4);
  await flush();
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  expect(lines.map((line) => line.slice('18:39:37 '.length))).toEqual([
    'info  a message',
    `${warn} a message`,
    `${error} a message`,
  ]);
});

it('as a process: ended at once, it resets an answer whose end is that of its connection', async () => {
  const registry = await startLengthlessRegistry((response) => void response.write(new Uint8Array(5_000)));
  onTestFinished(() => registry.stop());
  const { port, child, output } = await startServeProcess({
    REGSHIFT_UPSTREAM: registry.url,
    REGSHIFT_SIGNING_KEY: JSON.stringify(testSigningKey),
  });
  const socket = connect(port, '127.0.0.1');
  const ended = new Promise<string>((resolve) => {
    socket.on('error', ({ message }) => resolve(message));
    socket.on('end', () => resolve('end'));
  });
  socket.write(`GET ${blobPath} HTTP/1.0\r\n\r\n`);
  await once(socket, 'data');
  child.kill('SIGTERM');
  await expect.poll(output).toContain('stopping');
  child.kill('SIGTERM');
  expect(await ended).toContain('ECONNRESET');
});
