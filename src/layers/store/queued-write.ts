import type { Clock } from '../../clock.ts';
import { settledWithin, valueWithin } from '../../concurrency/deadline.ts';
import type { BlobName, BlobWrite } from './blob-store.ts';

/**
 * A write, and the bytes that wait for the store. No method throws: where the store fails, or is far slower than the
 * source of the bytes, the write has failed, and takes no more.
 */
export interface QueuedWrite {
  /** Whether nothing more is written, after an error or `drop`. */
  isOver(): boolean;
  /** Bytes that the store has taken. */
  written(): number;
  /** Queues bytes. @returns a promise if the store is behind. */
  add(bytes: Uint8Array): Promise<void> | undefined;
  commit(blob: BlobName): void;
  /** Removes the bytes. */
  drop(): void;
  /** Waits some seconds for a store that makes room. @returns whether bytes can be read back. */
  canReadBack(): Promise<boolean>;
  /** @returns the next bytes from an offset, at most `length`; undefined if they cannot be read. */
  readBack(at: number, length: number): Promise<Uint8Array | undefined>;
  /** Keeps the bytes readable after the end. @returns a function that ends this. */
  beginReading(): () => void;
}

export interface QueuedWriteOptions {
  /** Opens the write. */
  readonly open: () => Promise<BlobWrite>;
  /** `registryTag` of the registry that gives the bytes. */
  readonly registry: string;
  readonly clock: Clock;
  /** Called once, at the end: with the blob if it was stored, and with an error if the store failed. */
  readonly ended: (end: { readonly stored?: BlobName; readonly error?: unknown }) => void;
  /** Gets each piece that the store has taken, and a failure. */
  readonly changes: ReturnType<typeof createChanges>;
}

/** Wakes those that wait for the next change. */
export function createChanges() {
  let change = Promise.withResolvers<void>();
  return {
    next: () => change.promise,
    note(): void {
      change.resolve();
      change = Promise.withResolvers<void>();
    },
  };
}

/** Bytes that wait for the store. */
const mostBacklog = 4 * 2 ** 20;

/** A store for which a write has waited this long in all must have written `leastPace` bytes in each millisecond of it. */
const patienceMs = 10_000;
const leastPace = 4 * 1024;

/** The longest time that the store may take for its next piece, and for making a whole blob visible. */
const addMs = 60_000;
const commitMs = 600_000;

/** A write that has got no bytes for longer than all of its deadlines is lost: Workers end one with its request. */
export const lostMs = addMs + commitMs;

/** The longest time that a reader waits for a store that makes room. */
const openMs = 3_000;

export function createQueuedWrite(options: QueuedWriteOptions): QueuedWrite {
  const { open, registry, clock, ended, changes } = options;
  let write: BlobWrite | undefined;
  let isOver = false;
  let hasEnded = false;
  let isReleased = false;
  let backlog = 0;
  let written = 0;
  let waitedMs = 0;
  let readers = 0;
  const opened = open();
  const opening = settledWithin(addMs, opened).then(
    (ready) => {
      write = ready;
    },
    (error: unknown) => {
      fail(error);
      // A write that comes too late ends.
      opened.then(dropLate, () => undefined);
    },
  );
  let queue: Promise<void> = opening;

  function end(how: Parameters<typeof ended>[0]): void {
    if (hasEnded) return;
    hasEnded = true;
    ended(how);
    releaseIfUnused();
  }

  function releaseIfUnused(): void {
    if (!hasEnded || readers > 0 || isReleased) return;
    isReleased = true;
    write?.release?.();
  }

  function fail(error: unknown): void {
    if (isOver) return;
    isOver = true;
    backlog = 0;
    changes.note();
    void write?.abort();
    end({ error });
  }

  async function store(bytes: Uint8Array): Promise<void> {
    if (isOver || write === undefined) return;
    try {
      await settledWithin(addMs, write.add(bytes));
    } catch (error) {
      return fail(error);
    }
    backlog -= bytes.length;
    written += bytes.length;
    changes.note();
  }

  async function waitForRoom(): Promise<void> {
    while (!isOver && backlog > mostBacklog) {
      const since = clock();
      await valueWithin(1_000, changes.next());
      waitedMs += clock() - since;
      if (waitedMs > patienceMs && written < waitedMs * leastPace) {
        fail(new Error(`it took ${written} bytes in ${Math.round(waitedMs / 1000)} s`));
      }
    }
  }

  async function commitLast(blob: BlobName): Promise<void> {
    await queue;
    if (isOver || write === undefined) return;
    try {
      await settledWithin(commitMs, write.commit({ ...blob, registry }));
      end({ stored: blob });
    } catch (error) {
      fail(error);
    }
  }

  async function dropLast(): Promise<void> {
    await queue;
    if (isOver) return;
    isOver = true;
    await write?.abort();
    end({});
  }

  return {
    isOver: () => isOver,
    written: () => written,
    add(bytes) {
      if (isOver) return undefined;
      backlog += bytes.length;
      queue = queue.then(() => store(bytes));
      return backlog > mostBacklog ? waitForRoom() : undefined;
    },
    commit(blob) {
      queue = commitLast(blob);
    },
    drop() {
      queue = dropLast();
    },
    async canReadBack() {
      await valueWithin(openMs, opening);
      return write?.readBack !== undefined && !isOver && !isReleased;
    },
    async readBack(at, length) {
      const room = new Uint8Array(length);
      const read = await write?.readBack?.(at, room).catch(() => 0);
      return read ? room.subarray(0, read) : undefined;
    },
    beginReading() {
      readers += 1;
      return () => {
        readers -= 1;
        releaseIfUnused();
      };
    },
  };
}

function dropLate(write: BlobWrite): void {
  write.release?.();
  void write.abort();
}
