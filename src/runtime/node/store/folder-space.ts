import type { Stats } from 'node:fs';
import { readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { isDigest } from '../../../../converters/digest.ts';
import type { Clock, WallClock } from '../../../clock.ts';
import { BlobTooLarge, type Pruned, type StoredBlob } from '../../../layers/store/blob-store.ts';
import { logDamaged, removeOldest } from '../../../layers/store/stored-blobs.ts';
import type { Log } from '../../../observability/log.ts';
import type { Metrics } from '../../../observability/metrics.ts';
import type { FileOperations } from './file-operations.ts';

/** The parts of a store's folder. */
export interface FolderPaths {
  readonly blobs: string;
  /** Blobs that are being written. */
  readonly incoming: string;
}

export interface FolderSpaceOptions {
  readonly paths: FolderPaths;
  readonly operations: FileOperations;
  /** REGSHIFT_STORE_BYTES: the bytes of all blobs. */
  readonly bytes: number;
  readonly clock: Clock;
  /** Files have dates, which other processes read. */
  readonly wallClock: WallClock;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'storeSize' | 'storeEvicted'>;
}

/** The space of a folder, which other processes may use as well. */
export interface FolderSpace {
  list(): AsyncIterable<StoredBlob>;
  /** @throws BlobTooLarge if a blob of this size cannot be stored. */
  refuseBeyond(size: number): void;
  /** A blob was stored. Makes room in the background if there are too many. */
  added(size: number): void;
  /** The file system is full: makes room in the background for a blob of this size. */
  full(size: number): void;
  /** Makes room now: removes the blobs that were used longest ago, and files that ended writers left behind. */
  makeRoom(target: number): Promise<Pruned>;
  /** Removes a blob with another number of bytes than its caller expects. */
  dropDamaged(path: string, found: number, expected: number): Promise<void>;
  /** @returns undefined if nothing has this path. */
  lookAt(path: string): Promise<Stats | undefined>;
  /** Removes a file. It is no error if there is none. */
  remove(path: string): Promise<void>;
}

interface StoredFile extends StoredBlob {
  readonly path: string;
}

/** The sizes of other processes' blobs are looked up at most this often. */
const lookMs = 60_000;

/** Room is made for more than one blob: down to this part of the bytes. */
const keptPart = 0.9;

/** A write that stands still for ten minutes ends (docs/networks.md), so an older file has no writer. */
const abandonedMs = 3_600_000;

export function createFolderSpace(options: FolderSpaceOptions): FolderSpace {
  const { paths, operations, bytes: limit, clock, wallClock, log, metrics } = options;
  let used: number | undefined;
  let lookedAt = Number.NEGATIVE_INFINITY;
  let making: Promise<unknown> = Promise.resolve();

  const remove = (path: string) => operations.run('quick', () => unlink(path)).catch(unlessAbsent);
  const lookAt = (path: string) => operations.run('quick', () => stat(path)).catch(unlessAbsent);

  async function namesIn(folder: string): Promise<readonly string[]> {
    return (await operations.run('quick', () => readdir(folder)).catch(unlessAbsent)) ?? [];
  }

  async function* files(): AsyncGenerator<StoredFile> {
    for (const algorithm of await namesIn(paths.blobs)) {
      for (const shard of await namesIn(join(paths.blobs, algorithm))) {
        for (const hex of await namesIn(join(paths.blobs, algorithm, shard))) {
          const path = join(paths.blobs, algorithm, shard, hex);
          const digest = `${algorithm}:${hex}`;
          const found = await lookAt(path);
          if (found?.isFile() && isDigest(digest) && hex.startsWith(shard)) {
            yield { path, digest, size: found.size, usedAt: found.mtimeMs };
          }
        }
      }
    }
  }

  async function removeAbandoned(): Promise<number> {
    let size = 0;
    for (const name of await namesIn(paths.incoming)) {
      const path = join(paths.incoming, name);
      const found = await lookAt(path);
      if (found === undefined) continue;
      if (wallClock().getTime() - found.mtimeMs > abandonedMs) await remove(path);
      else size += found.size;
    }
    return size;
  }

  async function makeRoomNow(target: number): Promise<Pruned> {
    const all: StoredFile[] = [];
    for await (const file of files()) all.push(file);
    const total = all.reduce((sum, { size }) => sum + size, await removeAbandoned());
    lookedAt = clock();
    const goal = total > limit ? Math.min(target, limit * keptPart) : target;
    const pruned = await removeOldest(all, total - goal, ({ path }) => remove(path));
    if (pruned.blobs > 0) metrics.storeEvicted(pruned.blobs, pruned.bytes);
    used = total - pruned.bytes;
    metrics.storeSize(used);
    return pruned;
  }

  function makeRoom(target: number): Promise<Pruned> {
    // A blob may have come after the running search for blobs.
    const made = making.then(
      () => makeRoomNow(target),
      () => makeRoomNow(target),
    );
    making = made;
    return made;
  }

  function makeRoomInBackground(target: number): void {
    makeRoom(target).catch((error: unknown) => {
      log('warn', 'the store of layers cannot make room', { path: paths.blobs, reason: String(error) });
    });
  }

  return {
    list: files,
    refuseBeyond(size) {
      if (size > limit) throw new BlobTooLarge(`it has more than ${limit} bytes (REGSHIFT_STORE_BYTES)`);
    },
    added(size) {
      used = used === undefined ? undefined : used + size;
      const isOld = clock() - lookedAt > lookMs;
      if (used !== undefined && used <= limit && !isOld) return metrics.storeSize(used);
      makeRoomInBackground(limit);
    },
    full: (size) =>
      makeRoomInBackground(
        Math.max(0, Math.min(used ?? limit, limit) - Math.max(size, limit * (1 - keptPart))),
      ),
    makeRoom,
    async dropDamaged(path, found, expected) {
      logDamaged(log, { path }, found, expected);
      await remove(path);
    },
    lookAt,
    remove,
  };
}

/** @returns undefined if a file, or a folder on its path, is not there. @throws any other error. */
export function unlessAbsent(error: unknown): undefined {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
}
