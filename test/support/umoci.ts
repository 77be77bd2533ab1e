import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from './programs.ts';

/**
 * Unpacks an image with umoci, by way of an OCI layout.
 * @param source as skopeo names it, like `docker://…`; @param options of `skopeo copy`.
 * @returns the root directory of its files.
 */
export async function unpackByUmoci(
  source: string,
  home: string,
  options: readonly string[] = [],
): Promise<string> {
  const directory = await mkdtemp(join(home, 'unpacked-'));
  const copy = [
    '--insecure-policy',
    'copy',
    '--override-arch',
    'amd64',
    '--dest-compress-format',
    'gzip',
    ...options,
  ];
  await runProgram('skopeo', [...copy, source, 'oci:layout:copied'], directory);
  await runProgram('umoci', ['unpack', '--image', 'layout:copied', 'bundle'], directory);
  return join(directory, 'bundle/rootfs');
}
