import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { StorePlace } from '../../../layers/store/blob-store.ts';
import type { FileOperations } from './file-operations.ts';
import { unlessAbsent } from './folder-space.ts';

/** Looks at a path before it is used as a store, and makes nothing. @throws the system's error; FolderHangs. */
export async function lookAtFolder(path: string, operations: FileOperations): Promise<StorePlace> {
  const kindOf = async (place: string) => {
    const found = await operations.run('quick', () => stat(place)).catch(unlessAbsent);
    return found && kindName(found);
  };
  const kind = await kindOf(path);
  if (kind === 'a folder') return 'here';
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
