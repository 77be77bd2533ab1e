import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type FileTree, readTree } from './file-tree.ts';
import { runProgram } from './programs.ts';
import { decompressedV1, type V1Pulled } from './v1-pull.ts';

/**
 * The files of an image after a daemon has put its layers on each other: `.wh.` entries remove files of lower layers.
 */
export async function filesOfV1(
  { ids, layers }: Pick<V1Pulled, 'ids' | 'layers'>,
  home: string,
): Promise<FileTree> {
  const directory = await mkdtemp(join(home, 'v1-'));
  const root = join(directory, 'root');
  const archive = join(directory, 'layer.tar');
  await mkdir(root);
  for (const id of ids.toReversed()) {
    await writeFile(archive, await decompressedV1(layers.get(id) ?? new Uint8Array()));
    const names = (await runProgram('tar', ['-tf', archive], directory)).split('\n');
    for (const name of names.filter((each) => basename(each).startsWith('.wh.'))) {
      const removed = join(root, dirname(name), basename(name).slice('.wh.'.length));
      await rm(removed, { recursive: true, force: true });
    }
    await runProgram('tar', ['-C', root, '--exclude=.wh.*', '-xpf', archive], directory);
  }
  return readTree(root);
}
