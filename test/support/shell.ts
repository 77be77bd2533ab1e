import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { npmEnvironment } from './installed-package.ts';

export interface ShellOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface ShellAnswer {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a shell line to its end. */
export function runLine(line: string, { cwd, env }: ShellOptions): Promise<ShellAnswer> {
  return new Promise((resolve) => {
    const options = { cwd, env: { ...npmEnvironment(), ...env }, timeout: 60_000 };
    execFile('sh', ['-c', line], options, (error, out, err) => {
      resolve({ code: error ? Number(error.code ?? 1) : 0, out, err });
    });
  });
}

export interface RunningLine {
  /** The output so far. */
  readonly printed: () => string;
  /** Asks the line itself to end, by SIGTERM, and waits until its last process has ended, or for ten seconds. @returns whether it has. */
  terminate(): Promise<boolean>;
  /** Kills all processes of the line. */
  stop(): Promise<void>;
}

/** Runs a shell line that goes on, and waits for a text in its output. @throws Error when the text does not come. */
export async function startLine(
  line: string,
  ready: RegExp,
  { cwd, env }: ShellOptions,
): Promise<RunningLine> {
  // The line gets a process group: npm starts a shell, which starts the program.
  const child = spawn('sh', ['-c', line], { cwd, env: { ...npmEnvironment(), ...env }, detached: true });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      text += chunk;
    });
  }
  const deadline = Date.now() + 60_000;
  while (!ready.test(text) && child.exitCode === null && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const stop = () => endGroup(child);
  if (ready.test(text)) return { printed: () => text, terminate: () => terminateGroup(child), stop };
  await stop();
  throw new Error(`${line} did not get ready: ${text.slice(-2000)}`);
}

async function terminateGroup(child: ChildProcess): Promise<boolean> {
  child.kill('SIGTERM');
  const deadline = Date.now() + 10_000;
  while (isGroupThere(child) && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return !isGroupThere(child);
}

function isGroupThere({ pid }: ChildProcess): boolean {
  try {
    return pid !== undefined && process.kill(-pid, 0);
  } catch {
    return false;
  }
}

async function endGroup(child: ChildProcess): Promise<void> {
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const running = child.exitCode === null && child.signalCode === null;
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The group is gone.
  }
  if (running) await ended;
}
