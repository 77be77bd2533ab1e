import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { programEnvironment } from './programs.ts';

export interface DaemonOptions {
  readonly program: string;
  readonly args: readonly string[];
  /** The only directory that the program writes to; it is removed after the program has ended. */
  readonly directory: string;
  /** Called again and again until it returns true. An error counts as false. */
  readonly isReady: () => Promise<boolean>;
}

export interface Daemon {
  stop(): Promise<void>;
  /** Ends the program at once by SIGKILL, as if its machine had failed. */
  kill(): Promise<void>;
}

/** The running programs, with their directories. */
const present = new Map<ChildProcess, string>();

// A test run that ends without stop() must not leave programs behind. vitest ends its workers by SIGTERM, which ends a
// process without its exit event.
process.once('SIGTERM', () => process.exit(128 + 15));
process.once('exit', () => {
  for (const child of present.keys()) child.kill('SIGKILL');
  for (const directory of present.values())
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
});

const readyWithin = 30_000;
const stopWithin = 10_000;

/**
 * Starts a real server program, and waits until it is ready.
 * @throws Error with the last output of the program when it does not become ready.
 */
export async function startDaemon({ program, args, directory, isReady }: DaemonOptions): Promise<Daemon> {
  const child = spawn(program, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: programEnvironment(directory),
  });
  const running = watch(child);
  present.set(child, directory);
  const clear = async () => {
    await running.ended;
    present.delete(child);
    await rm(directory, { recursive: true, force: true });
  };
  const stop = async () => {
    await end(child, running.ended);
    await clear();
  };
  const kill = async () => {
    child.kill('SIGKILL');
    await clear();
  };
  try {
    await ready(program, isReady, running);
  } catch (error) {
    await stop();
    throw error;
  }
  return { stop, kill };
}

/** A port that was free a moment ago, for programs that do not report the port that they take. */
export async function freePort(): Promise<number> {
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
  /** Settles when the program has ended, or could not be started. */
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

async function ready(program: string, isReady: () => Promise<boolean>, running: Running): Promise<void> {
  const deadline = Date.now() + readyWithin;
  while (!running.hasEnded() && Date.now() < deadline) {
    if (await isReady().catch(() => false)) return;
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

/** Whether a program takes connections at a port of 127.0.0.1. */
export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
