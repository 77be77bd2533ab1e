import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

/** Debian's directories for daemons, which the PATH of a plain user may lack. */
const systemDirectories = ['/usr/sbin', '/sbin'];

export function havePrograms(...names: readonly string[]): boolean {
  return names.every(isInstalled);
}

function isInstalled(name: string): boolean {
  const directories = [...(process.env.PATH ?? '').split(delimiter), ...systemDirectories];
  return directories.some((directory) => {
    try {
      accessSync(join(directory, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * The reason why tests against real programs cannot run here, also printed as a warning; `undefined` when they can:
 * `describe.skipIf(requirePeers('skopeo'))`.
 * @throws Error instead, when REGSHIFT_REQUIRE_PEERS=1 forbids skipping.
 */
export function requirePeers(...names: readonly string[]): string | undefined {
  return reasonToSkip(names.filter((name) => !isInstalled(name)));
}

/**
 * The reason why tests cannot run, also printed as a warning; `undefined` if nothing is missing.
 * @param remedy the command that installs all that is missing.
 * @throws Error instead, when REGSHIFT_REQUIRE_PEERS=1 forbids skipping.
 */
export function reasonToSkip(missing: readonly string[], remedy?: string): string | undefined {
  if (missing.length === 0) return undefined;
  const reason = `not installed: ${missing.join(', ')}${remedy === undefined ? '' : ` (${remedy})`}`;
  if (process.env.REGSHIFT_REQUIRE_PEERS === '1') {
    throw new Error(`REGSHIFT_REQUIRE_PEERS=1, and a peer is ${reason}`);
  }
  console.warn(`\n*** SKIPPED, tests against real programs: ${reason} ***\n`);
  return reason;
}

const execute = promisify(execFile);

/**
 * Runs a real program to its end.
 * @param home a directory of the test: the program finds no settings and no logins of the user who runs the tests.
 * @returns its output, without surrounding white space.
 * @throws Error with the command and its error output, when it fails or takes over a minute.
 */
export async function runProgram(program: string, args: readonly string[], home: string): Promise<string> {
  const { stdout } = await execute(program, args, {
    env: programEnvironment(home),
    cwd: home,
    timeout: 60_000,
    killSignal: 'SIGKILL',
    maxBuffer: 16 * 1024 * 1024,
  });
  return stdout.trim();
}

export function programEnvironment(home: string): Record<string, string> {
  const path = [process.env.PATH, ...systemDirectories].join(delimiter);
  return { PATH: path, HOME: home, XDG_RUNTIME_DIR: home, TMPDIR: home, LC_ALL: 'C' };
}
