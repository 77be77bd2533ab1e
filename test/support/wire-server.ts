import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readSettings } from '../../src/config/settings.ts';
import type { Log } from '../../src/observability/log.ts';
import { serve } from '../../src/runtime/node/serve.ts';
import { checkedSettings } from './checked-settings.ts';
import { freePort } from './daemon.ts';
import { testSigningKey } from './signing-key.ts';
import { projectRoot, quietWrangler, wrangler } from './wrangler.ts';

/** The program behind a real socket. */
export interface WireServer {
  readonly port: number;
  stop(): Promise<void>;
}

const readyWithin = 60_000;
const stopWithin = 5_000;

const settingsFor = (upstream: string) => ({
  REGSHIFT_UPSTREAM: upstream,
  REGSHIFT_SIGNING_KEY: JSON.stringify(testSigningKey),
});

/**
 * Serves on Node, in this process.
 * @param more settings of an operator.
 */
export async function serveOnNode(
  upstream: string,
  more: Record<string, string> = {},
  log: Log = () => {},
): Promise<WireServer> {
  const read = readSettings({ PORT: '0', ...settingsFor(upstream), ...more });
  const { url, close } = await serve(await checkedSettings(read), log);
  return { port: Number(new URL(url).port), stop: close };
}

/**
 * Serves on workerd, by `wrangler dev`.
 * @param more settings of an operator.
 * @throws Error with its last output when it does not become ready.
 */
export async function serveOnWorkerd(
  upstream: string,
  more: Record<string, string> = {},
): Promise<WireServer> {
  const directory = mkdtempSync(join(tmpdir(), 'regshift-workerd-'));
  const port = await freePort();
  const flags = ['--local', '--ip', '127.0.0.1', '--port', String(port), '--inspector-port', '0'];
  const silence = ['--log-level', 'error', '--show-interactive-dev-session', 'false'];
  const state = ['--persist-to', join(directory, 'state')];
  const settings = { ...settingsFor(upstream), ...more };
  const variables = Object.entries(settings).flatMap((each) => ['--var', each.join(':')]);
  const child = spawn(process.execPath, [wrangler, 'dev', ...flags, ...silence, ...state, ...variables], {
    cwd: projectRoot,
    env: quietWrangler(directory),
    // The process gets a group: wrangler starts esbuild and workerd, and all of them must end.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let words = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      words = (words + chunk).slice(-2_000);
    });
  }
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const signal = (name: NodeJS.Signals) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, name);
    } catch {
      // The group is gone.
    }
  };
  const kill = () => signal('SIGKILL');
  // vitest ends its workers by SIGTERM, which ends a process without its exit event.
  const leave = () => process.exit(128 + 15);
  process.once('exit', kill);
  process.once('SIGTERM', leave);
  const stop = async () => {
    signal('SIGTERM');
    await Promise.race([ended, sleep(stopWithin, undefined, { ref: false })]);
    kill();
    await ended;
    process.off('exit', kill);
    process.off('SIGTERM', leave);
    rmSync(directory, { recursive: true, force: true });
  };
  const deadline = Date.now() + readyWithin;
  while (child.exitCode === null && Date.now() < deadline) {
    const answer = await fetch(`http://127.0.0.1:${port}/v2/`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok) return { port, stop };
    await sleep(50);
  }
  await stop();
  throw new Error(`wrangler dev was not ready: ${words}`);
}
