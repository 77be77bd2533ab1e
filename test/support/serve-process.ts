import { type ChildProcess, spawn } from 'node:child_process';
import { expect, onTestFinished } from 'vitest';
import { freePort } from './daemon.ts';
import { projectRoot } from './wrangler.ts';

/** `regshift serve` in a process of its own, which the end of the test kills. */
export interface ServeProcess {
  readonly port: number;
  readonly child: ChildProcess;
  /** All that it has written to its output. */
  output(): string;
}

/** Starts `regshift serve` from the sources, and waits until it serves. @param variables the settings of the operator. */
export async function startServeProcess(variables: Record<string, string>): Promise<ServeProcess> {
  const port = await freePort();
  const child = spawn(process.execPath, ['src/cli.ts', 'serve'], {
    cwd: projectRoot,
    env: { PATH: process.env.PATH, PORT: String(port), ...variables },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let out = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  await expect.poll(() => out, { timeout: 20_000 }).toContain('"regshift serves"');
  return { port, child, output: () => out };
}
