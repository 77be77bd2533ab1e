import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { get as getPlainly } from 'node:http';
import { get as getByTls } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BareWorkerd } from './bare-workerd.ts';
import { freePort } from './daemon.ts';
import { testSigningKey } from './signing-key.ts';
import { projectRoot } from './wrangler.ts';

const readyWithin = 20_000;

/** The arguments that `npm start` gives to Node. @param program the file that Node starts, in place of `src/start.js`. */
export function startArguments(program = 'src/start.js'): string[] {
  const manifest = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as {
    readonly scripts: { readonly start: string };
  };
  return manifest.scripts.start
    .split(' ')
    .slice(1)
    .map((each) => (each === 'src/start.js' ? program : each));
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
  const scheme = variables.REGSHIFT_TLS_CERT === undefined ? 'http' : 'https';
  for (const deadline = Date.now() + readyWithin; child.exitCode === null && Date.now() < deadline; ) {
    const isReady = await answersAt(`${scheme}://127.0.0.1:${port}/healthz`);
    if (isReady && child.pid !== undefined) return { port, pid: child.pid, stop };
    await sleep(look);
  }
  await stop();
  throw new Error(`node ${argv.join(' ')} was not ready`);
}

/** Whether a server responds with 200, with any certificate. */
async function answersAt(url: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const get = url.startsWith('https:') ? getByTls : getPlainly;
  get(url, { rejectUnauthorized: false, agent: false }, (answer) => {
    answer.resume();
    resolve(answer.statusCode === 200);
  }).once('error', () => resolve(false));
  return promise;
}
