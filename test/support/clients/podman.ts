import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from '../programs.ts';
import type { Client, ClientProgram } from './client.ts';

export const podman: ClientProgram = { name: 'podman', programs: ['podman'], start: () => startPodman() };

// `pull --all-tags` of 4.3 lists the tags over TLS in spite of --tls-verify=false, but follows this file.
const plainHttp = '[[registry]]\nlocation = "127.0.0.1"\ninsecure = true\n';

/** @param conf the content of `registries.conf`. */
export async function startPodman(conf = plainHttp): Promise<Client> {
  const home = await mkdtemp(join(tmpdir(), 'regshift-podman-'));
  const policy = join(home, 'policy.json');
  await writeFile(policy, JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }] }));
  const place = ['--root', join(home, 'root'), '--runroot', join(home, 'run'), '--tmpdir', join(home, 'tmp')];
  const registries = join(home, 'registries.conf');
  await writeFile(registries, conf);
  const quiet = [
    '--registries-conf',
    registries,
    '--storage-driver',
    'vfs',
    '--events-backend',
    'none',
    '--cgroup-manager',
    'cgroupfs',
  ];
  const run = (...args: string[]) => runProgram('podman', [...place, ...quiet, ...args], home);

  const pull = async (...what: string[]) => {
    await run('rmi', '--all', '--force');
    return run('pull', '--quiet', '--signature-policy', policy, ...what);
  };
  /** With vfs nothing is mounted: the output is the directory of the extracted top layer. */
  const directoryOf = (image: string) => run('image', 'mount', image);

  return {
    pull: async (reference) => directoryOf(await pull(reference)),
    async load(archive, image) {
      await run('rmi', '--all', '--force');
      await run('load', '--quiet', '--signature-policy', policy, '--input', archive);
      return directoryOf(image);
    },
    async pullAll(repository) {
      await pull('--all-tags', repository);
      const listed = await run('images', '--format', '{{.Tag}} {{.ID}}', repository);
      const rows = listed.split('\n').map((line) => line.split(' ') as [tag: string, id: string]);
      const mounted = rows.map(async ([tag, id]) => [tag, await directoryOf(id)] as const);
      return new Map(await Promise.all(mounted));
    },
    stop: () => rm(home, { recursive: true, force: true }),
  };
}
