import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, vi } from 'vitest';
import { concatenate } from '../../converters/bytes.ts';
import { run } from '../../src/cli/main.ts';

export interface Ran {
  readonly code: number;
  /** Standard output. */
  readonly out: string;
  readonly bytes: Uint8Array;
  /** Standard error. */
  readonly err: string;
  json<Value>(): Value;
}

export interface Surroundings {
  readonly env?: Readonly<Record<string, string>>;
  /** True if standard error is a terminal, of 80 columns or of this number. */
  readonly terminal?: boolean | number;
  /** Columns of the terminal that standard output is; undefined if it is none. */
  readonly columns?: number;
  readonly color?: boolean;
  /** Standard input. */
  readonly input?: Uint8Array;
}

const nowhere = join(tmpdir(), 'there-is-no-such-folder');

/** Runs a command in this process. It finds no logins unless `env` names them. */
export async function regshift(
  argv: readonly string[],
  { env, terminal = false, columns, color = false, input = new Uint8Array() }: Surroundings = {},
): Promise<Ran> {
  const chunks: Uint8Array[] = [];
  let err = '';
  const write = (data: string | Uint8Array) =>
    chunks.push(typeof data === 'string' ? new TextEncoder().encode(data) : data);
  const code = await run(argv, {
    stdout: (data) => void write(data),
    pipe: async (pieces) => {
      for await (const piece of pieces) chunks.push(piece);
    },
    stderr: (text) => {
      err += text;
    },
    read: async () => input,
    errorColumns: terminal === true ? 80 : terminal || undefined,
    output: { columns, color, fullDigests: columns === undefined },
    env: { DOCKER_CONFIG: nowhere, XDG_RUNTIME_DIR: nowhere, XDG_CONFIG_HOME: nowhere, ...env },
    loginFiles: {},
  });
  const bytes = concatenate(chunks);
  const out = new TextDecoder().decode(bytes);
  return { code, out, bytes, err, json: <Value>() => JSON.parse(out) as Value };
}

/** A folder that is removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'regshift-cli-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Gives the process a temporary folder of its own for one test: in the machine's, other tests write at the same time. */
export function ownTmpdir(): string {
  const folder = temporaryFolder();
  vi.stubEnv('TMPDIR', folder);
  onTestFinished(() => void vi.unstubAllEnvs());
  return folder;
}
