import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from './programs.ts';
import { skopeoCopy } from './skopeo-copy.ts';

/**
 * Unpacks an image by umoci, after skopeo has copied it into an OCI layout.
 * @param source a reference of skopeo, like `docker://…`.
 * @param options more options of `skopeo copy`.
 * @returns the root directory of the image's files.
 */
export async function unpackByUmoci(
  source: string,
  home: string,
  options: readonly string[] = [],
): Promise<string> {
  const directory = await mkdtemp(join(home, 'unpacked-'));
  const gzipOfAmd64 = ['--override-arch', 'amd64', '--dest-compress-format', 'gzip'];
  await skopeoCopy(directory, source, 'oci:layout:copied', ...gzipOfAmd64, ...options);
  await runProgram('umoci', ['unpack', '--image', 'layout:copied', 'bundle'], directory);
  return join(directory, 'bundle/rootfs');
}
