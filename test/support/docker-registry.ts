import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface DockerRegistryOptions {
  /**
   * Whether it takes schema 1 when it is pushed; true when not said. It converts schema 2 down for old clients
   * either way, and signs with a key that it makes at start.
   */
  readonly schema1Enabled?: boolean;
  readonly deleteEnabled?: boolean;
}

export interface DockerRegistry {
  readonly url: string;
  readonly port: number;
  /** The root directory of its filesystem storage; `seedVectors` writes there. */
  readonly storage: string;
  stop(): Promise<void>;
}

const program = 'docker-registry';
const readyWithin = 10_000;
const stopWithin = 5_000;

/** Runs the real docker-registry 2.8.2, the reference converter, on a free port of 127.0.0.1. */
export async function startDockerRegistry(options: DockerRegistryOptions = {}): Promise<DockerRegistry> {
  const directory = await mkdtemp(join(tmpdir(), 'regshift-docker-registry-'));
  const storage = join(directory, 'storage');
  const port = await freePort();
  const config = join(directory, 'config.yml');
  await writeFile(config, configuration(storage, port, options));

  const child = spawn(program, ['serve', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  const running = watch(child);
  // A test run that ends without stop() must not leave the program behind; vitest ends its workers by SIGTERM,
  // which on its own ends a process without the event of its exit.
  const kill = () => {
    child.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  };
  const leave = () => process.exit(128 + 15);
  process.once('exit', kill);
  process.once('SIGTERM', leave);
  const stop = async () => {
    await end(child, running.ended);
    process.off('exit', kill);
    process.off('SIGTERM', leave);
    await rm(directory, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${port}`;
  try {
    await ready(`${url}/v2/`, running);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, port, storage, stop };
}

/** JSON is YAML. */
function configuration(storage: string, port: number, options: DockerRegistryOptions): string {
  return JSON.stringify({
    version: '0.1',
    log: { level: 'error', accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: storage },
      delete: { enabled: options.deleteEnabled ?? false },
      maintenance: { uploadpurging: { enabled: false } },
    },
    http: { addr: `127.0.0.1:${port}`, secret: 'of a test' },
    compatibility: { schema1: { enabled: options.schema1Enabled ?? true } },
  });
}

/** A port that was free a moment ago: docker-registry cannot be asked which one it took. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('The system gave no port');
  return address.port;
}

interface Running {
  /** Settles when the program has ended, or could not be started at all. */
  readonly ended: Promise<void>;
  hasEnded(): boolean;
  lastWords(): string;
}

function watch(child: ChildProcess): Running {
  let words = '';
  let over = false;
  child.stderr?.on('data', (chunk) => {
    words = (words + chunk).slice(-2_000);
  });
  const ended = new Promise<void>((resolve) => {
    const finish = () => {
      over = true;
      resolve();
    };
    child.once('close', finish);
    child.once('error', (error) => {
      words += error.message;
      finish();
    });
  });
  return { ended, hasEnded: () => over, lastWords: () => words };
}

async function ready(url: string, running: Running): Promise<void> {
  const deadline = Date.now() + readyWithin;
  while (!running.hasEnded() && Date.now() < deadline) {
    const response = await fetch(url).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.ok) return;
    await sleep(25);
  }
  const what = running.hasEnded() ? 'ended' : `was not ready within ${readyWithin} ms`;
  throw new Error(`${program} ${what}: ${running.lastWords()}`);
}

async function end(child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.kill('SIGTERM');
  const patience = new AbortController();
  const late = sleep(stopWithin, 'late', { signal: patience.signal }).catch(() => undefined);
  if ((await Promise.race([ended, late])) === 'late') child.kill('SIGKILL');
  patience.abort();
  await ended;
}
