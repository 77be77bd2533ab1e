import type { Stats } from 'node:fs';
import { access, constants, mkdir, readdir, rename, stat, statfs, unlink, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { digestAlgorithm } from '../../../../converters/digest.ts';
import type { BlobId, StoredBlob } from '../../../layers/store/blob-store.ts';
import { blobFile, blobOfKey } from '../../../layers/store/stored-blobs.ts';
import type { FileOperations } from './file-operations.ts';

/** The files of a store's folder. Each method throws the system's error, and FolderHangs. */
export interface FolderFiles {
  /** The folder of the blobs. */
  readonly blobs: string;
  /** The folder of blobs that are being written. */
  readonly incoming: string;
  pathOf(blob: BlobId): string;
  /** All blobs, in no order. */
  list(): AsyncIterable<StoredFile>;
  /** @returns undefined if nothing has this path. */
  lookAt(path: string): Promise<Stats | undefined>;
  /** Removes a file. It is no error if there is none. */
  remove(path: string): Promise<void>;
  /** Removes a file. @returns false for a file of another user, which stays. */
  removeOwn(path: string): Promise<boolean>;
  /** Removes what ended writers left. @returns the bytes of the writes that stay. */
  removeAbandoned(now: Date): Promise<number>;
  /** Makes the folder of the store, but no folder around it: a wrong path would get the layers. */
  makeIncoming(): Promise<void>;
  /** @throws Error if no file can be made in `incoming`. */
  checkIncoming(): Promise<void>;
  /** Gives a file of `incoming` the name of a blob. */
  makeVisible(path: string, blob: BlobId): Promise<void>;
  /** Writes down the time of a use. A file system without the right to set times keeps the time of the write. */
  noteUse(path: string, now: Date): Promise<void>;
  /** Bytes that the file system has for this user; without a limit if it does not tell. */
  availableBytes(): Promise<number>;
}

export interface StoredFile extends StoredBlob {
  readonly path: string;
}

/** A write that stands still for ten minutes ends (docs/networks.md), so an older file has no writer. */
const abandonedMs = 3_600_000;

export function createFolderFiles(root: string, operations: FileOperations): FolderFiles {
  const blobs = join(root, 'blobs');
  const incoming = join(root, 'incoming');
  const run = <Value>(work: () => Promise<Value>) => operations.run('quick', work);
  const lookAt = (path: string) => run(() => stat(path)).catch(unlessAbsent);
  const remove = (path: string) => run(() => unlink(path)).catch(unlessAbsent);

  function pathOf(blob: BlobId): string {
    const name = blobFile(blob);
    return join(blobs, digestAlgorithm(blob.digest), name.slice(0, 2), name);
  }

  async function namesIn(folder: string): Promise<readonly string[]> {
    return (await run(() => readdir(folder)).catch(unlessForeign)) ?? [];
  }

  async function removeOwn(path: string): Promise<boolean> {
    try {
      await remove(path);
      return true;
    } catch (error) {
      return unlessForeign(error) ?? false;
    }
  }

  async function makeFolder(path: string): Promise<void> {
    await run(() => mkdir(path, { mode: 0o700 })).catch((error: unknown) => {
      if (!hasErrno(error, 'EEXIST')) throw error;
    });
  }

  return {
    blobs,
    incoming,
    pathOf,
    lookAt,
    remove,
    removeOwn,

    async *list() {
      for (const algorithm of await namesIn(blobs)) {
        for (const shard of await namesIn(join(blobs, algorithm))) {
          for (const name of await namesIn(join(blobs, algorithm, shard))) {
            const path = join(blobs, algorithm, shard, name);
            const blob = blobOfKey(`${algorithm}/${name}`);
            const found = await lookAt(path);
            if (found?.isFile() && blob && name.startsWith(shard)) {
              yield { ...blob, path, size: found.size, usedAt: found.mtimeMs };
            }
          }
        }
      }
    },

    async removeAbandoned(now) {
      let size = 0;
      for (const name of await namesIn(incoming)) {
        const path = join(incoming, name);
        const found = await lookAt(path);
        if (!found?.isFile()) continue;
        const isOld = now.getTime() - found.mtimeMs > abandonedMs;
        if (!isOld || !(await removeOwn(path))) size += found.size;
      }
      return size;
    },

    async makeIncoming() {
      try {
        await makeFolder(incoming);
      } catch (error) {
        if (!hasErrno(error, 'ENOENT')) throw error;
        await makeFolder(root);
        await makeFolder(incoming);
      }
    },

    checkIncoming: () => run(() => access(incoming, constants.W_OK)),

    async makeVisible(path, blob) {
      const target = pathOf(blob);
      await run(() => mkdir(dirname(target), { recursive: true, mode: 0o700 }));
      await run(() => rename(path, target));
    },

    noteUse: (path, now) => run(() => utimes(path, now, now)).catch(() => undefined),

    async availableBytes() {
      const { bavail, blocks, bsize } = await run(() => statfs(incoming));
      return blocks === 0 ? Number.POSITIVE_INFINITY : bavail * bsize;
    },
  };
}

/** Whether an error has one of these codes of errno(3). */
export function hasErrno(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.some((code) => code === error.code);
}

/** @returns undefined if a file, or a folder on its path, is not there. @throws any other error. */
export function unlessAbsent(error: unknown): undefined {
  if (!hasErrno(error, 'ENOENT', 'ENOTDIR')) throw error;
}

/**
 * One file or folder that this process may not read or remove, like one of another user, is not its own, and does not keep
 * the others from being removed.
 * @throws any other error.
 */
function unlessForeign(error: unknown): undefined {
  if (!hasErrno(error, 'EACCES', 'EPERM', 'EISDIR')) unlessAbsent(error);
}
