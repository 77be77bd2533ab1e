import type { Digest } from '../../../converters/digest.ts';
import type { Clock } from '../../clock.ts';
import { settledWithin, valueWithin } from '../../concurrency/deadline.ts';
import type { Digester } from '../digester.ts';
import type { BlobName, BlobWrite } from './blob-store.ts';

/**
 * A blob on its way into the store. It hashes the bytes, and never throws: where the store fails, or is far slower than
 * the source of the bytes, the fill goes on hashing, and stores nothing.
 */
export interface Fill extends Digester {
  /** Waits while the store is behind. */
  add(bytes: Uint8Array): Promise<void>;
  /**
   * Ends the fill. The blob is stored if the bytes have this digest and size; else they are dropped.
   * @returns whether the bytes have this digest and size. The store may still be writing.
   */
  commit(blob: BlobName): Promise<boolean>;
  /** Drops the bytes. */
  abort(): void;
  /**
   * Reads the bytes while they are written, and keeps the last ones back until the digest of all is right.
   * @returns undefined for a store whose bytes cannot be read before they are committed, or that is slow to begin.
   * @param signal aborts the wait for further bytes.
   */
  follow(span: FollowedSpan, signal: AbortSignal): Promise<AsyncGenerator<Uint8Array> | undefined>;
}

export interface FollowedSpan {
  readonly start: number;
  /** The offset behind the last byte. */
  readonly stop: number;
  /** The blob that the follower expects. */
  readonly blob: BlobName;
}

export interface FillOptions {
  /** Opens the write. */
  readonly open: () => Promise<BlobWrite>;
  /** `registryTag` of the registry that gives the bytes. */
  readonly registry: string;
  readonly digester: Digester;
  readonly clock: Clock;
  /** Called with each piece of bytes, and with the commit. */
  readonly used: () => void;
  /** Called once, when the bytes are right, and the store begins to make them visible. */
  readonly committing: (blob: BlobName) => void;
  /** Called once, when the fill is over: with its blob if it was stored, and with an error if the store failed. */
  readonly ended: (end: { readonly stored?: BlobName; readonly error?: unknown }) => void;
}

/** Thrown to a follower whose fill ended without its bytes. */
export class FillEnded extends Error {
  override readonly name = 'FillEnded';
  /** True if the bytes are not those that the follower expects. */
  readonly isWrong: boolean;

  constructor(isWrong: boolean) {
    super(isWrong ? 'the bytes are not those of the digest' : 'the store does not have all bytes');
    this.isWrong = isWrong;
  }
}

/** Bytes that wait for the store. */
const mostBacklog = 4 * 2 ** 20;

/** A store for which a fill has waited this long in all must have written `leastPace` bytes in each millisecond of it. */
const patienceMs = 10_000;
const leastPace = 4 * 1024;

/** The longest time that the store may take for its next piece, and for making a whole blob visible. */
const addMs = 60_000;
const commitMs = 600_000;

/** A fill that has got no bytes for longer than all of its deadlines is lost: Workers end one with its request. */
export const lostMs = addMs + commitMs;

/** The longest time that a follower waits for a store that makes room. */
const openMs = 3_000;

/** Bytes that a follower reads at once. */
const followedBytes = 256 * 1024;

type State = 'growing' | 'right' | 'wrong' | 'left';

export function createFill(options: FillOptions): Fill {
  const { open, registry, digester, clock, used, committing, ended } = options;
  let state: State = 'growing';
  let write: BlobWrite | undefined;
  let hasFailed = false;
  let backlog = 0;
  let written = 0;
  let waitedMs = 0;
  let followers = 0;
  let hasEnded = false;
  let isReleased = false;
  let digest: Promise<Digest> | undefined;
  let change = Promise.withResolvers<void>();
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

  function notify(): void {
    change.resolve();
    change = Promise.withResolvers<void>();
  }

  function end(how: { readonly stored?: BlobName; readonly error?: unknown }): void {
    if (hasEnded) return;
    hasEnded = true;
    ended(how);
    releaseIfUnused();
  }

  function releaseIfUnused(): void {
    if (!hasEnded || followers > 0 || isReleased) return;
    isReleased = true;
    write?.release?.();
  }

  function fail(error: unknown): void {
    if (hasFailed) return;
    hasFailed = true;
    backlog = 0;
    if (state === 'growing') state = 'left';
    notify();
    void write?.abort();
    end({ error });
  }

  async function store(bytes: Uint8Array): Promise<void> {
    if (hasFailed || write === undefined) return;
    try {
      await settledWithin(addMs, write.add(bytes));
    } catch (error) {
      return fail(error);
    }
    backlog -= bytes.length;
    written += bytes.length;
    notify();
  }

  async function waitForRoom(): Promise<void> {
    while (!hasFailed && backlog > mostBacklog) {
      const since = clock();
      await valueWithin(1_000, change.promise);
      waitedMs += clock() - since;
      if (waitedMs > patienceMs && written < waitedMs * leastPace) {
        fail(new Error(`it took ${written} bytes in ${Math.round(waitedMs / 1000)} s`));
      }
    }
  }

  async function commitWrite(blob: BlobName): Promise<void> {
    await queue;
    if (hasFailed || write === undefined) return;
    try {
      await settledWithin(commitMs, write.commit({ ...blob, registry }));
      end({ stored: blob });
    } catch (error) {
      fail(error);
    }
  }

  function drop(next: 'wrong' | 'left'): void {
    if (state !== 'growing') return;
    state = next;
    notify();
    queue = queue.then(async () => {
      if (hasFailed) return;
      hasFailed = true;
      await write?.abort();
      end({});
    });
  }

  async function readBack(at: number, length: number): Promise<Uint8Array> {
    const room = new Uint8Array(length);
    const read = await write?.readBack?.(at, room).catch(() => 0);
    if (!read) throw new FillEnded(false);
    return room.subarray(0, read);
  }

  async function* bytesFor({ start, stop, blob }: FollowedSpan, signal: AbortSignal) {
    let wake = () => {};
    const onAbort = () => wake();
    signal.addEventListener('abort', onAbort, { once: true });
    const isLast = stop === blob.size;
    let at = start;
    followers += 1;
    try {
      for (;;) {
        signal.throwIfAborted();
        if (state === 'right' && (digester.size !== blob.size || (await digest) !== blob.digest)) {
          throw new FillEnded(true);
        }
        if (at >= stop) return;
        const readable = Math.min(written, stop) - at;
        // The last bytes of the blob wait for the digest of all.
        const held = isLast && state !== 'right' ? 1 : 0;
        if (readable > held) {
          const bytes = await readBack(at, Math.min(readable - held, followedBytes));
          at += bytes.length;
          yield bytes;
        } else if (state === 'wrong' || state === 'left' || hasFailed) {
          throw new FillEnded(state === 'wrong');
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve;
            change.promise.then(resolve);
          });
        }
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      followers -= 1;
      releaseIfUnused();
    }
  }

  return {
    get size() {
      return digester.size;
    },
    async add(bytes) {
      used();
      await digester.add(bytes);
      if (hasFailed) return;
      backlog += bytes.length;
      queue = queue.then(() => store(bytes));
      if (backlog > mostBacklog) await waitForRoom();
    },
    digest() {
      digest ??= digester.digest();
      return digest;
    },
    async commit(blob) {
      used();
      const isRight = digester.size === blob.size && (await this.digest()) === blob.digest;
      if (!isRight) {
        drop('wrong');
        return false;
      }
      if (state !== 'growing') return true;
      state = 'right';
      notify();
      committing(blob);
      queue = commitWrite(blob);
      return true;
    },
    abort: () => drop('left'),
    async follow(span, signal) {
      await valueWithin(openMs, opening);
      if (write === undefined || write.readBack === undefined || hasFailed || isReleased) return undefined;
      return bytesFor(span, signal);
    },
  };
}

function dropLate(write: BlobWrite): void {
  write.release?.();
  void write.abort();
}
