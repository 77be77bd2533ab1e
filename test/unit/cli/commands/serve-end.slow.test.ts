import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../../support/daemon.ts';
import { startArguments } from '../../../support/node-process.ts';
import { hasTerminals, isRunning, startOnTerminal } from '../../../support/terminal.ts';
import { projectRoot } from '../../../support/wrangler.ts';

const serve = `'${process.execPath}' ${startArguments().join(' ')}`;
const variables = { REGSHIFT_UPSTREAM: 'http://127.0.0.1:9', REGSHIFT_SHUTDOWN_GRACE: '0', PORT: '0' };
const onTerminal = { cwd: projectRoot, env: variables };
const ready = /insecure-registries/;

/** Ends within this time, in milliseconds: a loaded machine takes longer than the program. */
const soon = { timeout: 10_000 };
const timeout = 60_000;

describe.skipIf(!hasTerminals)('on a terminal that is closed', () => {
  it('regshift ends by itself', { timeout }, async () => {
    const { pid, close } = await startOnTerminal(serve, ready, onTerminal);
    expect(isRunning(pid)).toBe(true);
    await close();
    await expect.poll(() => isRunning(pid), soon).toBe(false);
  });

  it('regshift goes on without SIGHUP, and ends on SIGTERM', { timeout }, async () => {
    const { pid, close } = await startOnTerminal(serve, ready, onTerminal, false);
    await close();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(isRunning(pid)).toBe(true);
    process.kill(pid, 'SIGTERM');
    await expect.poll(() => isRunning(pid), soon).toBe(false);
  });
});

it.skipIf(!hasTerminals)(
  'SIGHUP on a terminal that is there does not end regshift',
  { timeout },
  async () => {
    const { pid, close } = await startOnTerminal(serve, ready, onTerminal);
    process.kill(pid, 'SIGHUP');
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(isRunning(pid)).toBe(true);
    await close();
  },
);

/** Starts the proxy with this standard output. */
async function start(output: 'pipe' | number) {
  const port = await freePort();
  const child = spawn(process.execPath, startArguments(), {
    cwd: projectRoot,
    env: { PATH: process.env.PATH, ...variables, PORT: String(port), LOG_FORMAT: 'json' },
    stdio: ['ignore', output, 'ignore'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const request = (path: string) =>
    fetch(`http://127.0.0.1:${port}${path}`).then(
      ({ status }) => status,
      () => 0,
    );
  await expect.poll(() => request('/healthz'), { timeout: 20_000 }).toBe(200);
  return { child, request };
}

it('SIGTERM ends regshift after the reader of its pipe', { timeout }, async () => {
  const { child, request } = await start('pipe');
  child.stdout?.destroy();
  for (let count = 0; count < 50; count += 1) expect(await request('/v2/x/manifests/1')).toBe(502);
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
});

it.skipIf(!existsSync('/dev/full'))('SIGTERM ends regshift on a disk that is full', { timeout }, async () => {
  const full = openSync('/dev/full', 'w');
  onTestFinished(() => closeSync(full));
  const { child } = await start(full);
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
});
