import { randomUUID } from 'node:crypto';
import type { Stats } from 'node:fs';
import { rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { StorePlace } from '../../../layers/store/blob-store.ts';
import type { FileOperations } from './file-operations.ts';
import { createFolderFiles, hasErrno } from './folder-files.ts';

/** Looks at a path before it is used as a store, and makes nothing. @throws the system's error; FolderHangs. */
export async function lookAtFolder(path: string, operations: FileOperations): Promise<StorePlace> {
  const { blobs, incoming, lookAt } = createFolderFiles(path, operations);
  const kindOf = async (place: string) => {
    const found = await lookAt(place);
    return found && kindName(found);
  };
  const root = await lookAt(path);
  const kind = root && kindName(root);
  if (root && kind === 'a folder') {
    const [to, from] = [await lookAt(blobs), await lookAt(incoming)];
    const isOneDevice = (to ?? root).dev === (from ?? root).dev;
    const look = () => canMove(from ? incoming : path, to ? blobs : path);
    if (isOneDevice && (await operations.run('quick', look))) return 'here';
    const found = `${blobs} is on another file system or mount than ${incoming}, from which layers move to it`;
    return { problem: `must name a folder, and ${found}: put the whole folder on one` };
  }
  if (kind !== undefined) return { problem: `must name a folder, and ${path} is ${kind}` };
  const parent = dirname(path);
  const around = await kindOf(parent);
  if (around === 'a folder') return 'absent';
  const found = around === undefined ? 'is not there' : `is ${around}`;
  return { problem: `must name a folder, or a new one in an existing folder, and ${parent} ${found}` };
}

/**
 * Whether files can move from one folder to another. rename(2) moves none to another file system (EXDEV), and none to
 * another mount of the same one, which Linux finds before it looks for the file (`do_renameat2` of fs/namei.c).
 */
async function canMove(from: string, to: string): Promise<boolean> {
  const name = randomUUID();
  return rename(join(from, name), join(to, name)).then(
    () => true,
    (error: unknown) => !hasErrno(error, 'EXDEV'),
  );
}

function kindName(found: Stats): string {
  if (found.isDirectory()) return 'a folder';
  if (found.isFile()) return 'a file';
  if (found.isCharacterDevice() || found.isBlockDevice()) return 'a device';
  return found.isFIFO() ? 'a pipe' : 'a socket';
}
