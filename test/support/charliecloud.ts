import { execFile } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type FileTree, readTree } from './file-tree.ts';

const execute = promisify(execFile);

/** A failure of `ch-image` of Charliecloud 0.31, with all that it printed. */
export class CharliecloudFailed extends Error {
  override readonly name = 'CharliecloudFailed';
}

/** Charliecloud's `ch-image`, which speaks TLS alone, and flattens the layers of an image into a directory. It starts only where `ch-run` is, too. */
export interface Charliecloud {
  /**
   * @param reference like `127.0.0.1:5000/team/app:1.0`
   * @returns the files of the image. @throws CharliecloudFailed
   */
  pull(reference: string): Promise<FileTree>;
  /** Pushes an image that was pulled. @throws CharliecloudFailed */
  push(pulled: string, target: string): Promise<void>;
}

/** Starts with an empty storage. @param home a directory of the test. */
export async function charliecloud(home: string): Promise<Charliecloud> {
  const storage = join(await mkdtemp(join(home, 'charliecloud-')), 'storage');
  const run = async (...command: readonly string[]) => {
    const options = ['--tls-no-verify', '--no-cache', '--arch', 'amd64', '--storage', storage];
    const env = { PATH: '/usr/bin:/bin', HOME: home, USER: 'tester', LC_ALL: 'C.UTF-8' };
    // Debian's Python has the modules that the program needs; another one first in PATH may not.
    const args = ['/usr/bin/ch-image', ...options, ...command];
    await execute('/usr/bin/python3', args, { cwd: home, env, timeout: 60_000 }).catch((error: unknown) => {
      const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
      throw new CharliecloudFailed(stdout + stderr);
    });
  };
  return {
    pull: async (reference) => {
      await run('pull', reference);
      const directory = reference.replaceAll('/', '%').replaceAll(':', '+');
      return readTree(join(storage, 'img', directory));
    },
    push: (pulled, target) => run('push', pulled, target),
  };
}
