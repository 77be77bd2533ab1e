import { execFile } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type FileTree, readTree } from './file-tree.ts';

const execute = promisify(execFile);

/** A failure of `ch-image` of Charliecloud 0.31, with all that it printed. */
export class PullFailed extends Error {
  override readonly name = 'PullFailed';
}

/**
 * Pulls an image by Charliecloud's `ch-image`, which speaks TLS alone and flattens the layers into a directory.
 * @param home a directory of the test. @param reference like `127.0.0.1:5000/team/app:1.0`
 * @returns the files of the image. @throws PullFailed
 */
export async function pullByCharliecloud(home: string, reference: string): Promise<FileTree> {
  const storage = join(await mkdtemp(join(home, 'charliecloud-')), 'storage');
  const options = ['--tls-no-verify', '--no-cache', '--arch', 'amd64', '--storage', storage];
  // Debian's Python has the modules that the program needs; another one first in PATH may not.
  const args = ['/usr/bin/ch-image', ...options, 'pull', reference];
  const env = { PATH: '/usr/bin:/bin', HOME: home, USER: 'tester', LC_ALL: 'C.UTF-8' };
  await execute('/usr/bin/python3', args, { cwd: home, env, timeout: 60_000 }).catch((error: unknown) => {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new PullFailed(stdout + stderr);
  });
  const directory = reference.replaceAll('/', '%').replaceAll(':', '+');
  return readTree(join(storage, 'img', directory));
}
