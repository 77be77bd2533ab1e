import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDaemon } from '../daemon.ts';
import { runProgram } from '../programs.ts';
import type { Client, ClientProgram } from './client.ts';

export const containerd: ClientProgram = {
  name: 'containerd',
  programs: ['containerd', 'ctr'],
  start: () => startContainerd(),
};

/** @param hosts the content of `hosts.toml` for each registry, by its name; by default all speak plain HTTP. */
export async function startContainerd(hosts?: Readonly<Record<string, string>>): Promise<Client> {
  const home = await mkdtemp(join(tmpdir(), 'regshift-containerd-'));
  const address = join(home, 'containerd.sock');
  const config = join(home, 'config.toml');
  await writeFile(config, configuration(home, address));
  const hostsDirectory = join(home, 'hosts');
  for (const [registry, text] of Object.entries(hosts ?? {})) {
    await mkdir(join(hostsDirectory, registry), { recursive: true });
    await writeFile(join(hostsDirectory, registry, 'hosts.toml'), text);
  }
  const way = hosts ? ['--hosts-dir', hostsDirectory] : ['--plain-http'];
  const ctr = (...args: string[]) => runProgram('ctr', ['--address', address, ...args], home);
  const { stop } = await startDaemon({
    program: 'containerd',
    args: ['--config', config],
    directory: home,
    isReady: async () => (await ctr('version')) !== '',
  });

  let pulls = 0;
  const native = ['--snapshotter', 'native'];
  const namespaced = (...args: string[]) => ctr('--namespace', `pull-${pulls}`, ...args);
  /** A container that never runs has the files, and keeps them from garbage collection. */
  async function filesOf(image: string): Promise<string> {
    await namespaced('container', 'create', ...native, image, 'files');
    return boundDirectory(await namespaced('snapshots', ...native, 'mounts', '/nowhere', 'files'));
  }
  return {
    stop,
    async load(archive, image) {
      pulls += 1;
      await namespaced('image', 'import', ...native, archive);
      return filesOf(image);
    },
    async pull(reference) {
      pulls += 1;
      await namespaced('image', 'pull', ...way, ...native, '--platform', 'linux/amd64', reference);
      return filesOf(reference);
    },
  };
}

/** Namespaces share no content, so the first pull in each one downloads everything. */
function configuration(home: string, address: string): string {
  return `
version = 2
root = "${join(home, 'root')}"
state = "${join(home, 'state')}"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "${address}"
[plugins."io.containerd.metadata.v1.bolt"]
content_sharing_policy = "isolated"
`;
}

/** Returns the source of a bind mount. @param command like `mount -t bind /source /target -o ro,rbind`. */
function boundDirectory(command: string): string {
  const source = /^mount -t bind (\S+) /.exec(command)?.[1];
  if (source === undefined) throw new Error(`Not a bind mount: ${command}`);
  return source;
}
