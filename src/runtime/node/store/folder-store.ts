import { randomUUID } from 'node:crypto';
import { access, constants, type FileHandle, mkdir, open, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Digest, digestAlgorithm, digestHex } from '../../../../converters/digest.ts';
import type { ByteSpan } from '../../../layers/byte-range.ts';
import type { BlobName, BlobStore, BlobWrite } from '../../../layers/store/blob-store.ts';
import { fileStream } from './file-stream.ts';
import {
  createFolderSpace,
  type FolderPaths,
  type FolderSpace,
  type FolderSpaceOptions,
  isAbsent,
} from './folder-space.ts';

export type FolderStoreOptions = Omit<FolderSpaceOptions, 'paths'> & { readonly path: string };

/** The time of the last use of a blob is written down at most once in this time. */
const useNotedMs = 60_000;

/**
 * A store in a folder. A blob is written aside and renamed when it is whole, so several processes may use one folder,
 * and each may end at any moment. A reader keeps its open file when the blob is evicted.
 */
export function createFolderStore({ path: root, ...options }: FolderStoreOptions): BlobStore {
  const paths: FolderPaths = { blobs: join(root, 'blobs'), incoming: join(root, 'incoming') };
  const space = createFolderSpace({ ...options, paths });
  const { wallClock } = options;
  const pathOf = (digest: Digest) => {
    const hex = digestHex(digest);
    return join(paths.blobs, digestAlgorithm(digest), hex.slice(0, 2), hex);
  };

  async function openWhole({ digest, size }: BlobName): Promise<FileHandle | undefined> {
    const path = pathOf(digest);
    const handle = await open(path, 'r').catch(noneIfAbsent);
    if (handle === undefined) return undefined;
    try {
      const found = await handle.stat();
      if (found.isFile() && found.size === size) {
        const now = wallClock();
        if (now.getTime() - found.mtimeMs > useNotedMs) await noteUse(path, now);
        return handle;
      }
      await space.dropDamaged(path, found.size, size);
    } catch (error) {
      await handle.close();
      throw error;
    }
    await handle.close();
    return undefined;
  }

  return {
    kind: 'file',
    namesAtEnd: true,
    readsBack: true,
    mostBytes: options.bytes,
    mostWrites: 16,

    async head(digest) {
      const found = await stat(pathOf(digest)).catch(noneIfAbsent);
      return found?.size;
    },

    async read(blob, span: ByteSpan = { start: 0, end: blob.size - 1 }) {
      const handle = await openWhole(blob);
      return handle && fileStream(handle, span.start, span.end - span.start + 1);
    },

    async write(expected) {
      space.refuseBeyond(expected?.size ?? 0);
      await mkdir(paths.incoming, { recursive: true, mode: 0o700 });
      const path = join(paths.incoming, randomUUID());
      return createWrite({ path, handle: await open(path, 'wx+', 0o600), expected, pathOf, space });
    },

    async delete(digest) {
      await rm(pathOf(digest), { force: true });
    },

    list: space.list,

    async prune(bytes = options.bytes) {
      // The first layer would else show that the folder cannot be written.
      await mkdir(paths.incoming, { recursive: true, mode: 0o700 });
      await access(paths.incoming, constants.W_OK);
      return space.makeRoom(bytes);
    },
  };
}

/** A file system without the right to set times keeps the time of the write. */
async function noteUse(path: string, now: Date): Promise<void> {
  await utimes(path, now, now).catch(() => undefined);
}

interface WriteOptions {
  readonly path: string;
  readonly handle: FileHandle;
  readonly expected: BlobName | undefined;
  readonly pathOf: (digest: Digest) => string;
  readonly space: FolderSpace;
}

function createWrite({ path, handle, expected, pathOf, space }: WriteOptions): BlobWrite {
  let size = 0;
  let isOver = false;
  let isReleased = false;
  let isClosed = false;

  async function closeIfUnused(): Promise<void> {
    if (!isOver || !isReleased || isClosed) return;
    isClosed = true;
    await handle.close().catch(() => undefined);
  }

  return {
    async add(bytes) {
      space.refuseBeyond(size + bytes.length);
      try {
        for (let done = 0; done < bytes.length; ) {
          const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, size);
          done += bytesWritten;
          size += bytesWritten;
        }
      } catch (error) {
        if (isFull(error)) space.full(expected?.size ?? size);
        throw error;
      }
    },

    async commit(blob) {
      if (blob.size !== size || (expected && expected.digest !== blob.digest)) {
        throw new Error(`${blob.digest} (${blob.size} bytes) is not the blob that was written`);
      }
      // After a power cut the name must not lead to a file without its bytes.
      await handle.datasync();
      const target = pathOf(blob.digest);
      await mkdir(dirname(target), { recursive: true, mode: 0o700 });
      await rename(path, target);
      isOver = true;
      await closeIfUnused();
      space.added(size);
    },

    async abort() {
      isOver = true;
      await rm(path, { force: true }).catch(() => undefined);
      await closeIfUnused();
    },

    async readBack(from, into) {
      const { bytesRead } = await handle.read(into, 0, into.length, from);
      return bytesRead;
    },

    release() {
      isReleased = true;
      void closeIfUnused();
    },
  };
}

/** The file system, or the quota of its user, is full. */
function isFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

function noneIfAbsent(error: unknown): undefined {
  if (isAbsent(error)) return undefined;
  throw error;
}
