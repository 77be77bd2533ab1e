import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from '../programs.ts';
import { unpackByUmoci } from '../umoci.ts';
import type { Client, ClientProgram } from './client.ts';

/** skopeo, which copies without extracting; umoci extracts the copy. */
export const skopeo: ClientProgram = { name: 'skopeo', programs: ['skopeo', 'umoci'], start };

async function start(): Promise<Client> {
  const home = await mkdtemp(join(tmpdir(), 'regshift-skopeo-'));
  return {
    pull: (reference) => unpackByUmoci(`docker://${reference}`, home),
    async pullAll(repository) {
      const target = await mkdtemp(join(home, 'synchronised-'));
      const from = ['--src', 'docker', '--src-tls-verify=false', repository];
      await runProgram('skopeo', ['--insecure-policy', 'sync', ...from, '--dest', 'dir', target], home);
      // Each tag has a directory, like `name:tag`.
      const decompressed = (await readdir(target)).map(async (name) => {
        const root = await unpackByUmoci(`dir:${join(target, name)}`, home);
        return [name.slice(name.indexOf(':') + 1), root] as const;
      });
      return new Map(await Promise.all(decompressed));
    },
    stop: () => rm(home, { recursive: true, force: true }),
  };
}
