import type { ByteSpan } from '../../../layers/byte-range.ts';
import type { BlobName, BlobStore } from '../../../layers/store/blob-store.ts';
import type { Metrics } from '../../../observability/metrics.ts';
import { createStoreOperations, type FileOperations } from './file-operations.ts';
import { fileStream } from './file-stream.ts';
import { createFolderFiles, unlessAbsent } from './folder-files.ts';
import { lookAtFolder } from './folder-place.ts';
import { createFolderSpace, type FolderSpaceOptions } from './folder-space.ts';
import { createFolderWrites } from './folder-writes.ts';
import { forReading, openStoreFile, type StoreFile } from './store-file.ts';

export type FolderStoreOptions = Omit<FolderSpaceOptions, 'files' | 'metrics'> & {
  readonly path: string;
  readonly metrics: FolderSpaceOptions['metrics'] & Pick<Metrics, 'storeHung'>;
  /** Those with which the start looked at the folder; undefined: new ones. */
  readonly operations?: FileOperations | undefined;
};

/** The time of the last use of a blob is written down at most once in this time. */
const useNotedMs = 60_000;

/**
 * A store in a folder. A blob is written aside and renamed when it is whole, so several processes may use one folder,
 * and each may end at any moment. A reader keeps its open file when the blob is evicted.
 */
export function createFolderStore({ path: root, ...options }: FolderStoreOptions): BlobStore {
  const { wallClock, metrics, operations = createStoreOperations() } = options;
  operations.countIn(metrics);
  const files = createFolderFiles(root, operations);
  const space = createFolderSpace({ ...options, files });
  const writes = createFolderWrites({ files, space, operations });

  async function openWhole(blob: BlobName, isUse: boolean): Promise<StoreFile | undefined> {
    const path = files.pathOf(blob);
    const file = await openStoreFile(operations, path, forReading).catch(unlessAbsent);
    if (file === undefined) return undefined;
    try {
      const found = await file.stat();
      if (found.isFile() && found.size === blob.size) {
        const now = wallClock();
        if (isUse && now.getTime() - found.mtimeMs > useNotedMs) await files.noteUse(path, now);
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
      const found = await files.lookAt(files.pathOf(blob));
      return found?.isFile() ? found.size : undefined;
    },

    async read(blob, span: ByteSpan = { start: 0, end: blob.size - 1 }) {
      const file = await openWhole(blob, true);
      return file && fileStream(file, span.start, span.end - span.start + 1);
    },

    async inspect(blob) {
      const file = await openWhole(blob, false);
      return file && fileStream(file, 0, blob.size);
    },

    write: (expected, likelySize = expected?.size ?? 0) => writes.begin(expected, likelySize),
    end: writes.end,
    delete: (blob) => files.remove(files.pathOf(blob)),
    list: files.list,

    async prune(bytes = options.bytes) {
      // The first layer would else show that the folder cannot be written.
      await files.makeIncoming();
      await files.checkIncoming();
      return space.prune(bytes);
    },
  };
}
