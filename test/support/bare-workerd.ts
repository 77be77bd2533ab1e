import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './daemon.ts';
import { testSigningKey } from './signing-key.ts';
import type { WireServer } from './wire-server.ts';
import { bundleWorker, projectRoot } from './wrangler.ts';

export interface BareWorkerd extends WireServer {
  /** The id of the only process: all its CPU time and memory are the Worker's. */
  readonly pid: number;
}

const readyWithin = 20_000;

/** The resident memory of a process, in MiB. */
export function memoryOf(pid: number): number {
  return Number(/VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

/**
 * Runs the Worker's bundle in workerd alone, without the rest of `wrangler dev`: the Worker sees a client that leaves,
 * and the cost of the process is the cost of the Worker. There is no KV, and the Cache API forgets everything.
 * @param bundle a file from `bundleWorker`; made by default.
 * @param onOutput receives all output of the process.
 */
export async function startBareWorkerd(
  variables: Record<string, string>,
  bundle?: string,
  onOutput?: (text: string) => void,
): Promise<BareWorkerd> {
  const directory = mkdtempSync(join(tmpdir(), 'regshift-bare-'));
  cpSync(bundle ?? (await bundleWorker(join(directory, 'bundle'))), join(directory, 'entry.js'));
  const port = await freePort();
  const config = join(directory, 'config.capnp');
  const settings = { REGSHIFT_SIGNING_KEY: JSON.stringify(testSigningKey), LOG_LEVEL: 'error', ...variables };
  writeFileSync(config, configuration(port, settings));
  const child = spawn(workerdProgram(), ['serve', config], { stdio: ['ignore', 'pipe', 'pipe'] });
  let words = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      words = (words + chunk).slice(-2_000);
      onOutput?.(String(chunk));
    });
  }
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const kill = () => child.kill('SIGKILL');
  // vitest ends its workers by SIGTERM, which ends a process without its exit event.
  const leave = () => process.exit(128 + 15);
  process.once('exit', kill);
  process.once('SIGTERM', leave);
  const stop = async () => {
    kill();
    await ended;
    process.off('exit', kill);
    process.off('SIGTERM', leave);
    rmSync(directory, { recursive: true, force: true });
  };
  for (const deadline = Date.now() + readyWithin; child.exitCode === null && Date.now() < deadline; ) {
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok && child.pid !== undefined) return { port, pid: child.pid, stop };
    await sleep(25);
  }
  await stop();
  throw new Error(`workerd was not ready: ${words}`);
}

/** The workerd of wrangler's version, without the launcher beside it, which would be another process. */
function workerdProgram(): string {
  const wranglers = createRequire(createRequire(import.meta.url).resolve('wrangler'));
  return (wranglers('workerd') as { default: string }).default;
}

const forgetful =
  "export default { fetch: ({ method }) => new Response(null, { status: method === 'PUT' ? 204 : 504, " +
  "headers: { 'CF-Cache-Status': 'MISS' } }) }";

/** The date of wrangler.toml, so that the runtime behaves as when deployed. */
function compatibilityDate(): string {
  const settings = readFileSync(join(projectRoot, 'wrangler.toml'), 'utf8');
  return /^compatibility_date = "([\d-]+)"/m.exec(settings)?.[1] ?? '';
}

function configuration(port: number, variables: Record<string, string>): string {
  const bindings = Object.entries(variables).map(
    ([name, text]) => `(name = ${JSON.stringify(name)}, text = ${JSON.stringify(text)})`,
  );
  const date = compatibilityDate();
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "cache", worker = .cache),
    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [(name = "entry.js", esModule = embed "entry.js")],
  compatibilityDate = "${date}",
  cacheApiOutbound = "cache",
  bindings = [${bindings.join(', ')}],
);
const cache :Workerd.Worker = (
  modules = [(name = "cache.js", esModule = ${JSON.stringify(forgetful)})],
  compatibilityDate = "${date}",
);
`;
}
