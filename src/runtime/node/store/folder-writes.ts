import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { valueWithin } from '../../../concurrency/deadline.ts';
import { type BlobName, type BlobWrite, refuseOtherBlob } from '../../../layers/store/blob-store.ts';
import { countBuffer } from '../garbage.ts';
import type { FileOperations } from './file-operations.ts';
import { type FolderFiles, hasErrno } from './folder-files.ts';
import type { FolderSpace } from './folder-space.ts';
import { forWriting, openStoreFile, type StoreFile } from './store-file.ts';

/** The writes of this process into a folder. */
export interface FolderWrites {
  /** As `BlobStore.write`. */
  begin(expected: BlobName | undefined, likelySize: number): Promise<BlobWrite>;
  /** As `BlobStore.end`. */
  end(): Promise<void>;
}

export interface FolderWritesOptions {
  readonly files: FolderFiles;
  readonly space: FolderSpace;
  readonly operations: FileOperations;
}

/** A write whose file is in `incoming`. */
interface OpenWrite {
  readonly path: string;
  readonly expected: BlobName | undefined;
  /** Bytes that the blob probably has; 0 if nothing is known. */
  readonly likelySize: number;
  /** The opening of the file, and later the commit. */
  busy: Promise<unknown>;
}

/** The longest time for the end of all writes. */
const endMs = 2_000;

export function createFolderWrites(options: FolderWritesOptions): FolderWrites {
  const { files, space, operations } = options;
  const writes = new Set<OpenWrite>();
  let hasEnded = false;
  return {
    async begin(expected, likelySize) {
      space.refuseBeyond(expected?.size ?? 0);
      await files.makeIncoming();
      await space.fit(likelySize);
      if (hasEnded) throw new Error('the process ends');
      const path = join(files.incoming, randomUUID());
      const opening = openStoreFile(operations, path, forWriting);
      const write: OpenWrite = { path, expected, likelySize, busy: opening };
      writes.add(write);
      try {
        return writeTo(await opening, write, { files, space, left: () => writes.delete(write) });
      } catch (error) {
        writes.delete(write);
        throw error;
      }
    },

    async end() {
      hasEnded = true;
      const ended = [...writes].map(async (write) => {
        await write.busy.catch(() => undefined);
        if (writes.has(write)) await files.remove(write.path).catch(() => undefined);
      });
      await valueWithin(endMs, Promise.all(ended));
    },
  };
}

interface WriteOptions extends Pick<FolderWritesOptions, 'files' | 'space'> {
  /** Called when the file has left `incoming`. */
  readonly left: () => void;
}

function writeTo(file: StoreFile, open: OpenWrite, { files, space, left }: WriteOptions): BlobWrite {
  const { path, expected, likelySize } = open;
  let size = 0;
  let isOver = false;
  let isReleased = false;
  let isClosed = false;

  function closeIfUnused(): void {
    if (!isOver || !isReleased || isClosed) return;
    isClosed = true;
    file.close();
  }

  async function makeVisible(blob: BlobName): Promise<void> {
    refuseOtherBlob(blob, size, expected);
    // After a power cut the name must not lead to a file without its bytes.
    await file.sync();
    await files.makeVisible(path, blob);
    left();
    isOver = true;
    closeIfUnused();
    space.added(size);
  }

  return {
    async add(bytes) {
      space.refuseBeyond(size + bytes.length);
      try {
        await file.write(bytes, size, (written) => {
          size += written;
        });
      } catch (error) {
        // More than the likely size is no reason to remove other layers: the next write knows the size.
        if (hasErrno(error, 'ENOSPC', 'EDQUOT') && size < likelySize) {
          await space.full(likelySize, size, hasErrno(error, 'EDQUOT')).catch(() => undefined);
        }
        throw error;
      }
    },

    commit(blob) {
      const commit = makeVisible(blob);
      open.busy = commit;
      return commit;
    },

    async abort() {
      isOver = true;
      await files.remove(path).catch(() => undefined);
      left();
      closeIfUnused();
    },

    readBack(from, into) {
      countBuffer(into.length);
      return file.read(into, from);
    },

    release() {
      isReleased = true;
      closeIfUnused();
    },
  };
}
