import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { runProgram } from './programs.ts';

/** buildah and podman with a separate storage, which is removed at the end. */
export interface Containers {
  readonly home: string;
  buildah(...args: string[]): Promise<string>;
  podman(...args: string[]): Promise<string>;
  /** Options to run in this machine's network: services listen on 127.0.0.1. */
  readonly runOptions: readonly string[];
  stop(): Promise<void>;
}

export async function openContainers(): Promise<Containers> {
  const home = await mkdtemp(join(tmpdir(), 'regshift-containers-'));
  const storage = ['--root', join(home, 'root'), '--runroot', join(home, 'run'), '--storage-driver', 'vfs'];
  const plain = ['--events-backend', 'none', '--cgroup-manager', 'cgroupfs', '--tmpdir', join(home, 'tmp')];
  const podman = (...args: string[]) => runProgram('podman', [...storage, ...plain, ...args], home);
  return {
    home,
    buildah: (...args) => runProgram('buildah', [...storage, ...args], home),
    podman,
    // Some machines do not let even root raise a limit.
    runOptions: ['--network', 'host', '--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024'],
    stop: async () => {
      await podman('rm', '--all', '--force', '--time', '0').catch(() => undefined);
      await rm(home, { recursive: true, force: true });
    },
  };
}

/**
 * Makes an image of the Node that runs the tests, npm and a shell: the content that the Dockerfile needs of its base
 * images, where these cannot be downloaded. Node is at `/nodejs/bin/node`, as in distroless.
 */
export async function importNodeImage({ home, podman }: Containers, name: string): Promise<void> {
  const root = join(home, 'base');
  for (const folder of ['tmp', 'root', 'nodejs/bin', 'usr/bin', 'bin', 'etc/ssl/certs', 'npm-cache']) {
    await mkdir(join(root, folder), { recursive: true });
  }
  await add(root, process.execPath, '/usr/bin/node');
  await add(root, '/usr/bin/env', '/usr/bin/env');
  await add(root, '/bin/sh', '/bin/sh');
  await symlink('/usr/bin/node', join(root, 'nodejs/bin/node'));
  await cp(dirname(dirname(await realpath(which('npm')))), join(root, 'usr/lib/npm'), { recursive: true });
  await symlink('../lib/npm/bin/npm-cli.js', join(root, 'usr/bin/npm'));
  const certificates = '/etc/ssl/certs/ca-certificates.crt';
  await cp(certificates, join(root, certificates)).catch(() => undefined);
  await writeFile(join(root, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\n');
  const archive = join(home, 'base.tar');
  await runProgram('tar', ['-C', root, '-cf', archive, '.'], home);
  await podman('import', '--change', 'ENV PATH=/usr/bin:/bin', archive, name);
}

/** Copies a program with the libraries that it loads, under their own paths. */
async function add(root: string, program: string, place: string): Promise<void> {
  await cp(await realpath(program), join(root, place));
  const listed = await runProgram('ldd', [await realpath(program)], root);
  const libraries = [...listed.matchAll(/\/\S+/g)].map(([library]) => library);
  const libc = libraries.find((each) => each.endsWith('/libc.so.6'));
  const rest = libc === undefined ? [] : restOfGlibc.map((each) => join(dirname(libc), each));
  for (const library of [...libraries, ...rest]) {
    await mkdir(join(root, dirname(library)), { recursive: true });
    await cp(await realpath(library), join(root, library));
  }
}

/**
 * Files of Debian's libc6 that Node does not load, and native packages do (`librt.so.1` for rolldown): every image with
 * glibc has them.
 */
const restOfGlibc = ['libdl.so.2', 'libpthread.so.0', 'librt.so.1'];

function which(program: string): string {
  // The npm of node_modules/.bin is skipped: the image needs the whole npm.
  const folders = (process.env.PATH ?? '').split(delimiter).filter((each) => !each.includes('node_modules'));
  return join(folders.find((each) => existsSync(join(each, program))) ?? '/usr/bin', program);
}
