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

/** Runs a line as a person would type it, to its end. */
export function runLine(line: string, { cwd, env }: ShellOptions): Promise<ShellAnswer> {
  return new Promise((resolve) => {
    const options = { cwd, env: { ...npmEnvironment(), ...env }, timeout: 60_000 };
    execFile('sh', ['-c', line], options, (error, out, err) => {
      resolve({ code: error ? Number(error.code ?? 1) : 0, out, err });
    });
  });
}

export interface RunningLine {
  /** What it has printed so far. */
  readonly printed: () => string;
  stop(): Promise<void>;
}

/** Runs a line that goes on, until it has printed what is waited for. @throws Error when it does not. */
export async function startLine(
  line: string,
  ready: RegExp,
  { cwd, env }: ShellOptions,
): Promise<RunningLine> {
  // A group of its own: npm starts a shell, which starts the program.
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
  if (ready.test(text)) return { printed: () => text, stop };
  await stop();
  throw new Error(`${line} did not get ready: ${text.slice(-2000)}`);
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
