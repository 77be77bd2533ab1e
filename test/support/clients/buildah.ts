import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from '../programs.ts';
import type { Client, ClientProgram } from './client.ts';

/** Buildah, whose User-Agent names itself and not the library that it shares with podman. */
export const buildah: ClientProgram = { name: 'buildah', programs: ['buildah'], start };

async function start(): Promise<Client> {
  const home = await mkdtemp(join(tmpdir(), 'regshift-buildah-'));
  const policy = join(home, 'policy.json');
  await writeFile(policy, JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }] }));
  const place = ['--root', join(home, 'root'), '--runroot', join(home, 'run'), '--storage-driver', 'vfs'];
  const run = (...args: string[]) => runProgram('buildah', [...place, ...args], home);
  return {
    async pull(reference) {
      const options = ['--tls-verify=false', '--signature-policy', policy];
      const container = await run('from', '--pull-always', ...options, reference);
      return run('mount', container);
    },
    stop: () => rm(home, { recursive: true, force: true }),
  };
}
