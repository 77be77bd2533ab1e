import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BareWorkerd } from './bare-workerd.ts';
import { freePort } from './daemon.ts';
import { testSigningKey } from './signing-key.ts';
import { projectRoot } from './wrangler.ts';

const readyWithin = 20_000;

/** The options that `npm start` gives to Node. */
export function startArguments(): string[] {
  const manifest = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as {
    readonly scripts: { readonly start: string };
  };
  return manifest.scripts.start.split(' ').slice(1);
}

/**
 * Runs the proxy on Node in a separate process, as `npm start` does, so that the cost of the process is that of the
 * proxy. `stop` ends it as a failing machine would.
 * @param variables the settings of an operator; a free PORT is added by default.
 * @param look milliseconds between two checks whether it is ready.
 * @param onOutput receives all output; without it, output is discarded.
 * @param argv other arguments of Node than those of `npm start`.
 */
export async function startNodeProcess(
  variables: Record<string, string>,
  look = 25,
  onOutput?: (text: string) => void,
  argv: readonly string[] = startArguments(),
): Promise<BareWorkerd> {
  const port = Number(variables.PORT ?? (await freePort()));
  const child = spawn(process.execPath, argv, {
    cwd: projectRoot,
    env: {
      PATH: process.env.PATH,
      PORT: String(port),
      LOG_LEVEL: 'error',
      REGSHIFT_SIGNING_KEY: JSON.stringify(testSigningKey),
      ...variables,
    },
    stdio: onOutput ? ['ignore', 'pipe', 'pipe'] : 'ignore',
  });
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => onOutput?.(String(chunk)));
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const stop = async () => {
    kill();
    await ended;
    process.off('exit', kill);
  };
  for (const deadline = Date.now() + readyWithin; child.exitCode === null && Date.now() < deadline; ) {
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok && child.pid !== undefined) return { port, pid: child.pid, stop };
    await sleep(look);
  }
  await stop();
  throw new Error(`node ${argv.join(' ')} was not ready`);
}
