import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf } from '../../converters/digest.ts';

/**
 * The content of a directory and of all below it: each path with the permissions and the digest of a file, the
 * permissions of a directory, or the target of a link.
 */
export type FileTree = Readonly<Record<string, string>>;

export async function readTree(directory: string): Promise<FileTree> {
  const paths = (await readdir(directory, { recursive: true })).toSorted();
  const entries = paths.map(async (path) => [path, await describe(join(directory, path))] as const);
  return Object.fromEntries(await Promise.all(entries));
}

async function describe(path: string): Promise<string> {
  const status = await lstat(path);
  const permissions = (status.mode & 0o7777).toString(8);
  if (status.isSymbolicLink()) return `-> ${await readlink(path)}`;
  if (status.isDirectory()) return `${permissions} directory`;
  if (status.isFile()) return `${permissions} ${status.size} ${digestOf(await readFile(path))}`;
  throw new Error(`${path} is no file, directory or link`);
}
