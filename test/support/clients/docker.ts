import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDaemon } from '../daemon.ts';
import { runProgram } from '../programs.ts';
import type { RealImage } from '../real-image.ts';
import { skopeoCopy } from '../skopeo-copy.ts';
import { unpackByUmoci } from '../umoci.ts';
import type { Client, ClientProgram } from './client.ts';

/** Docker 20.10, the engine of Debian 12, which reads schema 1 and OCI. */
export const docker: ClientProgram = {
  name: 'dockerd',
  programs: ['dockerd', 'docker', 'unshare', 'skopeo', 'umoci'],
  start: () => startDocker(),
};

/** Pulls an image and pushes it under other names by one engine, which has kept the digests of the layers. */
export function pushAgain(pulled: string, ...names: readonly string[]): Promise<void> {
  return withEngine([], async (run) => {
    await run('pull', '--quiet', pulled);
    for (const name of names) {
      await run('tag', pulled, name);
      await run('push', '--quiet', name);
    }
  });
}

/** The program of the engine's own version: a newer one needs a plug-in for BuildKit. */
const builder = '/usr/bin/docker';

/**
 * Builds an image with one file more than its base, by the engine's classic builder or by its BuildKit.
 * @param base like `127.0.0.1:5000/name:tag`. @returns the root directory of the image's files.
 */
export async function buildByDocker(base: string, by: 'classic' | 'BuildKit', home: string): Promise<string> {
  const context = await mkdtemp(join(home, 'context-'));
  await writeFile(join(context, 'Dockerfile'), `FROM ${base}\nCOPY added /added\n`);
  await writeFile(join(context, 'added'), 'added');
  const kind = `DOCKER_BUILDKIT=${by === 'BuildKit' ? 1 : 0}`;
  return withEngine([], async (run, socket) => {
    await runProgram('env', [kind, builder, '--host', socket, 'build', '--tag', 'built', context], home);
    const archive = join(context, 'image.tar');
    await run('save', '--output', archive, 'built');
    return unpackByUmoci(`docker-archive:${archive}`, home);
  });
}

export type Docker = (...args: string[]) => Promise<string>;

/** @param options of the engine, besides those that it needs to run here. */
export async function startDocker(options: readonly string[] = []): Promise<Client> {
  const home = await mkdtemp(join(tmpdir(), 'regshift-docker-'));

  /** Saves an image; the engine makes its layers anew from the extracted files. */
  const filesOf = async (run: Docker, image: string) => {
    const archive = join(await mkdtemp(join(home, 'saved-')), 'image.tar');
    await run('save', '--output', archive, image);
    return unpackByUmoci(`docker-archive:${archive}`, home);
  };
  return {
    pull: (reference) =>
      withEngine(options, async (run) => {
        await run('pull', '--quiet', reference);
        return filesOf(run, reference);
      }),
    pullAll: (repository) =>
      withEngine(options, async (run) => {
        await run('pull', '--quiet', '--all-tags', repository);
        const tags = (await run('images', '--format', '{{.Tag}}', repository)).split('\n');
        const files = tags.map(async (tag) => [tag, await filesOf(run, `${repository}:${tag}`)] as const);
        return new Map(await Promise.all(files));
      }),
    load: (archive, image) =>
      withEngine(options, async (run) => {
        await run('load', '--input', archive);
        return filesOf(run, image);
      }),
    stop: () => rm(home, { recursive: true, force: true }),
  };
}

/** Pushes an image from its OCI layout. @param reference like `127.0.0.1:5000/name:tag`. */
export async function pushByDocker({ layout, tag }: RealImage, reference: string): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'regshift-docker-push-'));
  const archive = join(home, 'image.tar');
  try {
    await skopeoCopy(home, `oci:${layout}:${tag}`, `docker-archive:${archive}:${reference}`);
    await withEngine([], async (run) => {
      await run('load', '--input', archive);
      await run('push', '--quiet', reference);
    });
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

/** Runs one engine for each pull: 20.10 keeps manifests, and does not request a digest that it has. */
export async function withEngine<Result>(
  options: readonly string[],
  use: (docker: Docker, socket: string) => Promise<Result>,
): Promise<Result> {
  const home = await mkdtemp(join(tmpdir(), 'regshift-dockerd-'));
  const socket = `unix://${join(home, 'docker.sock')}`;
  await writeFile(
    join(home, 'daemon.json'),
    JSON.stringify({ 'deprecated-key-path': join(home, 'key.json') }),
  );
  const run: Docker = (...args) => runProgram('docker', ['--host', socket, ...args], home);
  const engine = await startDaemon({
    // The engine may mount its directory onto itself; the mount namespace ends with the engine.
    program: 'unshare',
    args: ['--mount', 'dockerd', '--host', socket, ...places(home), ...withoutBridge, ...options],
    directory: home,
    isReady: async () => (await run('version', '--format', '{{.Server.Version}}')) !== '',
  });
  try {
    return await use(run, socket);
  } finally {
    await engine.stop();
  }
}

function places(home: string): string[] {
  const names = {
    'config-file': 'daemon.json',
    'data-root': 'data',
    'exec-root': 'run',
    pidfile: 'docker.pid',
  };
  return Object.entries(names).flatMap(([option, name]) => [`--${option}`, join(home, name)]);
}

const withoutBridge = ['--storage-driver', 'vfs', '--iptables=false', '--ip6tables=false', '--bridge=none'];
