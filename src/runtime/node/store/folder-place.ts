import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { StorePlace } from '../../../layers/store/blob-store.ts';
import type { FileOperations } from './file-operations.ts';
import { folderPaths, unlessAbsent } from './folder-space.ts';

/** Looks at a path before it is used as a store, and makes nothing. @throws the system's error; FolderHangs. */
export async function lookAtFolder(path: string, operations: FileOperations): Promise<StorePlace> {
  const lookAt = (place: string) => operations.run('quick', () => stat(place)).catch(unlessAbsent);
  const kindOf = async (place: string) => {
    const found = await lookAt(place);
    return found && kindName(found);
  };
  const root = await lookAt(path);
  const kind = root && kindName(root);
  if (root && kind === 'a folder') {
    // A link or a mount can lead elsewhere, and rename(2) moves nothing to another file system (EXDEV).
    const { blobs, incoming } = folderPaths(path);
    const { dev: to } = (await lookAt(blobs)) ?? root;
    const { dev: from } = (await lookAt(incoming)) ?? root;
    if (from === to) return 'here';
    const found = `${blobs} is on another file system than ${incoming}, from which layers move to it`;
    return { problem: `must name a folder, and ${found}: put the whole folder on one` };
  }
  if (kind !== undefined) return { problem: `must name a folder, and ${path} is ${kind}` };
  const parent = dirname(path);
  const around = await kindOf(parent);
  if (around === 'a folder') return 'absent';
  const found = around === undefined ? 'is not there' : `is ${around}`;
  return { problem: `must name a folder, or a new one in an existing folder, and ${parent} ${found}` };
}

function kindName(found: Stats): string {
  if (found.isDirectory()) return 'a folder';
  if (found.isFile()) return 'a file';
  if (found.isCharacterDevice() || found.isBlockDevice()) return 'a device';
  return found.isFIFO() ? 'a pipe' : 'a socket';
}
