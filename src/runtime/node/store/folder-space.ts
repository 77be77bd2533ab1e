import type { Clock, WallClock } from '../../../clock.ts';
import { BlobTooLarge, type Pruned } from '../../../layers/store/blob-store.ts';
import { removeDamaged, removeOldest } from '../../../layers/store/stored-blobs.ts';
import type { Log } from '../../../observability/log.ts';
import type { Metrics } from '../../../observability/metrics.ts';
import type { FolderFiles, StoredFile } from './folder-files.ts';

export interface FolderSpaceOptions {
  readonly files: FolderFiles;
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
  /** @throws BlobTooLarge if the settings do not allow a blob of this size. */
  refuseBeyond(size: number): void;
  /**
   * Makes room for a blob of this size, if the file system lacks it.
   * @throws BlobTooLarge if the file system would not have the room without any other blob; none is then removed.
   */
  fit(size: number): Promise<void>;
  /** A blob was stored. Makes room in the background if there are too many. */
  added(size: number): void;
  /**
   * The file system has refused a byte of a blob of this size: makes room for the next try in the background, as `fit`.
   * @param written bytes of the blob that the file system has taken, and gets back.
   * @param isQuota true if the user has used up a quota, which statfs(2) does not know.
   */
  full(size: number, written: number, isQuota: boolean): Promise<void>;
  /** Removes the blobs that were used longest ago, until all have this many bytes, and files that ended writers left. */
  prune(target: number): Promise<Pruned>;
  /** Removes a blob with another number of bytes than its caller expects, if the file system allows it. */
  dropDamaged(path: string, found: number, expected: number): Promise<void>;
}

/** The sizes of other processes' blobs are looked up at most this often. */
const lookMs = 60_000;

/** Beyond REGSHIFT_STORE_BYTES, room is made for more than one blob: down to this part of the bytes. */
const keptPart = 0.9;

/** The oldest blobs of a search that are remembered for the next blobs. */
const mostOldest = 10_000;

/** A file takes a little more of a file system than its bytes: this part of them. */
const fileOverhead = 1 / 64;

export function createFolderSpace(options: FolderSpaceOptions): FolderSpace {
  const { files, bytes: limit, clock, wallClock, log, metrics } = options;
  let used: number | undefined;
  let lookedAt = Number.NEGATIVE_INFINITY;
  let making: Promise<unknown> = Promise.resolve();
  /** Those blobs of the last search that were used longest ago and are not removed, in this order. A full disk needs room for each new blob. */
  let oldest: readonly StoredFile[] = [];
  /** The next search for blobs has not begun, and will find what is stored until then. */
  let isPruneDue = false;

  /** @param excessOf the bytes to remove, by the bytes of all blobs. */
  async function searchAndRemove(excessOf: (total: number) => number): Promise<Pruned> {
    const all: StoredFile[] = [];
    for await (const file of files.list()) all.push(file);
    const total = all.reduce((sum, { size }) => sum + size, await files.removeAbandoned(wallClock()));
    lookedAt = clock();
    const { pruned, newer } = await removeOldest(all, excessOf(total), ({ path }) => files.removeOwn(path));
    oldest = newer.slice(0, mostOldest);
    countRemoved(pruned, total);
    return pruned;
  }

  /** The search of the start, or for another blob, may have ended just before. */
  async function measureOnce(): Promise<void> {
    if (used === undefined) await searchAndRemove(() => 0);
  }

  /** Removes blobs of the last search that were not used since then, until this many bytes are free. */
  async function removeKnown(lacking: number): Promise<number> {
    const { pruned, newer } = await removeOldest(oldest, lacking, async ({ path, size, usedAt }) => {
      const found = await files.lookAt(path);
      return found?.mtimeMs === usedAt && found?.size === size && files.removeOwn(path);
    });
    oldest = newer;
    countRemoved(pruned, used);
    return pruned.bytes;
  }

  function countRemoved({ blobs, bytes }: Pruned, total: number | undefined): void {
    if (blobs > 0) metrics.storeEvicted(blobs, bytes);
    used = total === undefined ? undefined : total - bytes;
    if (used !== undefined) metrics.storeSize(used);
  }

  /** Begins when the work before it has ended: a blob may have come after its search for blobs. */
  function inTurn<Value>(make: () => Promise<Value>): Promise<Value> {
    const made = making.then(make, make);
    making = made;
    return made;
  }

  /** Removes this many bytes. A search looks at each file of the folder, so one serves several blobs. */
  const makeRoom = (lacking: number) =>
    inTurn(async () => {
      const left = lacking - (await removeKnown(lacking));
      if (left > 0) await searchAndRemove(() => left);
    });

  /** @param begins called before the search for blobs. */
  const prune = (target: number, begins = () => {}) =>
    inTurn(() => {
      begins();
      return searchAndRemove(
        (total) => total - (total > limit ? Math.min(target, limit * keptPart) : target),
      );
    });

  /** Prunes in the background. A search looks at each file, so blobs that are stored during one share the next one. */
  function pruneSoon(): void {
    if (isPruneDue) return;
    isPruneDue = true;
    inBackground(
      prune(limit, () => {
        isPruneDue = false;
      }),
    );
  }

  /** @returns the bytes to remove for a blob of this size; 0 if it fits. @throws BlobTooLarge. */
  async function lackingFor(size: number, available: number): Promise<number> {
    if (size <= available) return 0;
    if (used === undefined) await inTurn(measureOnce);
    const most = available + (used ?? 0);
    if (size > most) throw new BlobTooLarge(`it has ${size} bytes, and the file system has room for ${most}`);
    return Math.ceil(size * (1 + fileOverhead) - available);
  }

  function inBackground(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      log('warn', 'the store of layers cannot make room', { path: files.blobs, reason: String(error) });
    });
  }

  return {
    refuseBeyond(size) {
      if (size > limit) throw new BlobTooLarge(`it has more than ${limit} bytes (REGSHIFT_STORE_BYTES)`);
    },
    async fit(size) {
      if (size === 0) return;
      const lacking = await lackingFor(size, await files.availableBytes());
      if (lacking > 0) await makeRoom(lacking);
    },
    added(size) {
      used = used === undefined ? undefined : used + size;
      const isOld = clock() - lookedAt > lookMs;
      if (used !== undefined && used <= limit && !isOld) return metrics.storeSize(used);
      pruneSoon();
    },
    async full(size, written, isQuota) {
      const available = written + (isQuota ? 0 : await files.availableBytes());
      const lacking = await lackingFor(size, available);
      if (lacking > 0) inBackground(makeRoom(lacking));
    },
    prune: (target) => prune(target),
    dropDamaged: (path, found, expected) =>
      removeDamaged(log, { path }, { found: `${found} bytes`, expected: `${expected} bytes` }, () =>
        files.remove(path),
      ),
  };
}
