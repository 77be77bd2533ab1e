import type { Digest } from '../../../converters/digest.ts';
import type { Digester } from '../digester.ts';
import type { BlobName } from './blob-store.ts';
import { createChanges, createQueuedWrite, type QueuedWriteOptions } from './queued-write.ts';

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

export interface FillOptions extends Omit<QueuedWriteOptions, 'changes'> {
  readonly digester: Digester;
  /** Called with each piece of bytes, and with the commit. */
  readonly used: () => void;
  /** Called once, when the bytes are right, and the store begins to make them visible. */
  readonly committing: (blob: BlobName) => void;
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

/** Bytes that a follower reads at once. */
const followedBytes = 256 * 1024;

type State = 'growing' | 'right' | 'wrong' | 'left';

export function createFill(options: FillOptions): Fill {
  const { digester, used, committing } = options;
  const changes = createChanges();
  const write = createQueuedWrite({ ...options, changes });
  let state: State = 'growing';
  let digest: Promise<Digest> | undefined;

  const isDecided = () => state !== 'growing' || write.isOver();

  function drop(next: 'wrong' | 'left'): void {
    if (isDecided()) return;
    state = next;
    changes.note();
    write.drop();
  }

  function digestOnce(): Promise<Digest> {
    digest ??= digester.digest();
    return digest;
  }

  async function* bytesFor({ start, stop, blob }: FollowedSpan, signal: AbortSignal) {
    let wake = () => {};
    const onAbort = () => wake();
    signal.addEventListener('abort', onAbort, { once: true });
    const endReading = write.beginReading();
    const isLast = stop === blob.size;
    let at = start;
    try {
      for (;;) {
        signal.throwIfAborted();
        if (state === 'right' && (digester.size !== blob.size || (await digest) !== blob.digest)) {
          throw new FillEnded(true);
        }
        if (at >= stop) return;
        const readable = Math.min(write.written(), stop) - at;
        // The last bytes of the blob wait for the digest of all.
        const held = isLast && state !== 'right' ? 1 : 0;
        if (readable > held) {
          const bytes = await write.readBack(at, Math.min(readable - held, followedBytes));
          if (bytes === undefined) throw new FillEnded(false);
          at += bytes.length;
          yield bytes;
        } else if (state === 'wrong' || state === 'left' || write.isOver()) {
          throw new FillEnded(state === 'wrong');
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve;
            changes.next().then(resolve);
          });
        }
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      endReading();
    }
  }

  return {
    get size() {
      return digester.size;
    },
    async add(bytes) {
      used();
      await digester.add(bytes);
      const room = write.add(bytes);
      if (room) await room;
    },
    digest: digestOnce,
    async commit(blob) {
      used();
      if (digester.size !== blob.size || (await digestOnce()) !== blob.digest) {
        drop('wrong');
        return false;
      }
      if (isDecided()) return true;
      state = 'right';
      changes.note();
      committing(blob);
      write.commit(blob);
      return true;
    },
    abort: () => drop('left'),
    async follow(span, signal) {
      return (await write.canReadBack()) ? bytesFor(span, signal) : undefined;
    },
  };
}
