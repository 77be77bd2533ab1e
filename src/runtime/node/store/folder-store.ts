import { randomUUID } from 'node:crypto';
import { access, constants, mkdir, rename, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { digestAlgorithm } from '../../../../converters/digest.ts';
import { valueWithin } from '../../../concurrency/deadline.ts';
import type { ByteSpan } from '../../../layers/byte-range.ts';
import {
  type BlobId,
  type BlobName,
  type BlobStore,
  type BlobWrite,
  refuseOtherBlob,
} from '../../../layers/store/blob-store.ts';
import { blobFile } from '../../../layers/store/stored-blobs.ts';
import type { Metrics } from '../../../observability/metrics.ts';
import { countBuffer } from '../garbage.ts';
import { createStoreOperations, type FileOperations } from './file-operations.ts';
import { fileStream } from './file-stream.ts';
import { lookAtFolder } from './folder-place.ts';
import {
  createFolderSpace,
  type FolderSpace,
  type FolderSpaceOptions,
  folderPaths,
  unlessAbsent,
} from './folder-space.ts';
import { forReading, forWriting, openStoreFile, type StoreFile } from './store-file.ts';

export type FolderStoreOptions = Omit<FolderSpaceOptions, 'paths' | 'operations' | 'metrics'> & {
  readonly path: string;
  readonly metrics: FolderSpaceOptions['metrics'] & Pick<Metrics, 'storeHung'>;
  /** Those with which the start looked at the folder; undefined: new ones. */
  readonly operations?: FileOperations | undefined;
};

/** The longest time for the end of all writes. */
const endMs = 2_000;

/** The time of the last use of a blob is written down at most once in this time. */
const useNotedMs = 60_000;

/**
 * A store in a folder. A blob is written aside and renamed when it is whole, so several processes may use one folder,
 * and each may end at any moment. A reader keeps its open file when the blob is evicted.
 */
export function createFolderStore({ path: root, ...options }: FolderStoreOptions): BlobStore {
  const paths = folderPaths(root);
  const { wallClock, metrics } = options;
  const operations = options.operations ?? createStoreOperations();
  operations.countIn(metrics);
  const space = createFolderSpace({ ...options, paths, operations });
  const writes = new Set<OpenWrite>();
  let hasEnded = false;
  const pathOf = (blob: BlobId) => {
    const name = blobFile(blob);
    return join(paths.blobs, digestAlgorithm(blob.digest), name.slice(0, 2), name);
  };
  const makeFolder = (path: string) =>
    operations.run('quick', () => mkdir(path, { recursive: true, mode: 0o700 }));

  /** Makes the folder of the store, but no folder around it: a wrong path would get the layers. */
  async function makeIncoming(): Promise<void> {
    const make = (path: string) =>
      operations.run('quick', () => mkdir(path, { mode: 0o700 })).catch(unlessPresent);
    try {
      await make(paths.incoming);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      await make(root);
      await make(paths.incoming);
    }
  }

  /** A file system without the right to set times keeps the time of the write. */
  async function noteUse(path: string, now: Date): Promise<void> {
    await operations.run('quick', () => utimes(path, now, now)).catch(() => undefined);
  }

  async function openWhole(blob: BlobName, isUse = true): Promise<StoreFile | undefined> {
    const path = pathOf(blob);
    const file = await openStoreFile(operations, path, forReading).catch(unlessAbsent);
    if (file === undefined) return undefined;
    try {
      const found = await file.stat();
      if (found.isFile() && found.size === blob.size) {
        const now = wallClock();
        if (isUse && now.getTime() - found.mtimeMs > useNotedMs) await noteUse(path, now);
        return file;
      }
      // A FIFO or a folder in the place of a blob is not the store's.
      if (found.isFile()) await space.dropDamaged(path, found.size, blob.size);
    } catch (error) {
      file.close();
      throw error;
    }
    file.close();
    return undefined;
  }

  return {
    kind: 'file',
    namesAtEnd: true,
    readsBack: true,
    mostBytes: options.bytes,
    mostWrites: 16,
    isAway: () => operations.isHung(),
    look: () => lookAtFolder(root, operations),

    async head(blob) {
      const found = await space.lookAt(pathOf(blob));
      return found?.isFile() ? found.size : undefined;
    },

    async read(blob, span: ByteSpan = { start: 0, end: blob.size - 1 }) {
      const file = await openWhole(blob);
      return file && fileStream(file, span.start, span.end - span.start + 1);
    },

    async inspect(blob) {
      const file = await openWhole(blob, false);
      return file && fileStream(file, 0, blob.size);
    },

    async write(expected, likelySize = expected?.size ?? 0) {
      space.refuseBeyond(expected?.size ?? 0);
      await makeIncoming();
      await space.fit(likelySize);
      if (hasEnded) throw new Error('the process ends');
      const path = join(paths.incoming, randomUUID());
      const opening = openStoreFile(operations, path, forWriting);
      const open: OpenWrite = { path, busy: opening };
      writes.add(open);
      try {
        const file = await opening;
        return createWrite({
          open,
          file,
          expected,
          likelySize,
          pathOf,
          space,
          operations,
          makeFolder,
          writes,
        });
      } catch (error) {
        writes.delete(open);
        throw error;
      }
    },

    async end() {
      hasEnded = true;
      const ended = [...writes].map(async (write) => {
        await write.busy.catch(() => undefined);
        if (writes.has(write)) await space.remove(write.path).catch(() => undefined);
      });
      await valueWithin(endMs, Promise.all(ended));
    },

    delete: (blob) => space.remove(pathOf(blob)),

    list: space.list,

    async prune(bytes = options.bytes) {
      // The first layer would else show that the folder cannot be written.
      await makeIncoming();
      await operations.run('quick', () => access(paths.incoming, constants.W_OK));
      return space.prune(bytes);
    },
  };
}

/** A write whose file is in `incoming/`. */
interface OpenWrite {
  readonly path: string;
  /** The opening of the file, and later the commit. */
  busy: Promise<unknown>;
}

interface WriteOptions {
  readonly open: OpenWrite;
  readonly file: StoreFile;
  readonly expected: BlobName | undefined;
  /** Bytes that the blob probably has; 0 if nothing is known. */
  readonly likelySize: number;
  readonly pathOf: (blob: BlobId) => string;
  readonly space: FolderSpace;
  readonly operations: FileOperations;
  readonly makeFolder: (path: string) => Promise<unknown>;
  /** The open writes of the store, with this one as long as its file is in `incoming/`. */
  readonly writes: Set<OpenWrite>;
}

function createWrite(options: WriteOptions): BlobWrite {
  const { open, file, expected, likelySize, pathOf, space, operations, makeFolder, writes } = options;
  const { path } = open;
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
    const target = pathOf(blob);
    await makeFolder(dirname(target));
    await operations.run('quick', () => rename(path, target));
    writes.delete(open);
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
        if (isFull(error) && size < likelySize) {
          await space.full(likelySize, size, isQuota(error)).catch(() => undefined);
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
      await space.remove(path).catch(() => undefined);
      writes.delete(open);
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

function unlessPresent(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
}

/** The file system, or the quota of its user, is full. */
function isFull(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOSPC' || isQuota(error);
}

function isQuota(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EDQUOT';
}
