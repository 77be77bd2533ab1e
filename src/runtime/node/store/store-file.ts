import type { Stats } from 'node:fs';
import { constants, type FileHandle, open } from 'node:fs/promises';
import type { FileOperations, OperationKind } from './file-operations.ts';

/** An open file of a store. Each method throws as `FileOperations.run`. */
export interface StoreFile {
  stat(): Promise<Stats>;
  /** @returns the number of bytes read into `into`: 0 at the end of the file. */
  read(into: Uint8Array, at: number): Promise<number>;
  /** Writes all bytes, in several operations if need be. @param onWritten gets the number of bytes of each operation. */
  write(bytes: Uint8Array, at: number, onWritten: (bytes: number) => void): Promise<void>;
  /** Writes the file's bytes to its disk. */
  sync(): Promise<void>;
  /** Closes the file once no operation uses it. No other method may be called afterwards. */
  close(): void;
}

/** Windows has no O_NONBLOCK. */
const nonBlocking = constants.O_NONBLOCK ?? 0;

/** Opens for reading. A FIFO without a writer or a device does not hold the thread (open(2), O_NONBLOCK). */
export const forReading = constants.O_RDONLY | nonBlocking;

/** Makes a new file. An existing one is an error. */
export const forWriting = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL;

/** Opens a file. @throws as `FileOperations.run`. A file that opens too late is closed. */
export async function openStoreFile(
  operations: FileOperations,
  path: string,
  flags: number,
): Promise<StoreFile> {
  const handle = await operations.run('quick', () => open(path, flags, 0o600), {
    ended: ({ value, isLate }) => {
      if (isLate && value) createStoreFile(operations, value).close();
    },
  });
  return createStoreFile(operations, handle);
}

function createStoreFile(operations: FileOperations, handle: FileHandle): StoreFile {
  let uses = 0;
  let isClosing = false;
  let isClosed = false;

  function closeIfUnused(): void {
    if (!isClosing || isClosed || uses > 0) return;
    isClosed = true;
    // A thread that waits for the end of another operation on this file would take a second place.
    operations.run('quick', () => handle.close(), { isPatient: true }).catch(() => undefined);
  }

  function use<Value>(kind: OperationKind, work: () => Promise<Value>): Promise<Value> {
    uses += 1;
    const ended = () => {
      uses -= 1;
      closeIfUnused();
    };
    return operations.run(kind, work, { ended });
  }

  return {
    stat: () => use('quick', () => handle.stat()),
    read: async (into, at) => (await use('quick', () => handle.read(into, 0, into.length, at))).bytesRead,
    async write(bytes, at, onWritten) {
      for (let done = 0; done < bytes.length; ) {
        const from = done;
        const { bytesWritten } = await use('quick', () =>
          handle.write(bytes, from, bytes.length - from, at + from),
        );
        done += bytesWritten;
        onWritten(bytesWritten);
      }
    },
    // Only the bytes and the length: the times of the file do not matter.
    sync: () => use('sync', () => handle.datasync()),
    close() {
      isClosing = true;
      closeIfUnused();
    },
  };
}
