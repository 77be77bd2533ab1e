import type { Clock } from '../clock.ts';
import { eitherSignal } from '../concurrency/deadline.ts';
import { type ByteSource, openByteSource } from './byte-stream.ts';
import type { ZstdLimits } from './codec.ts';
import { type DownloadLimits, type FramePoint, firstByte } from './download-limits.ts';
import { createDownloadWindow, type DownloadWindow } from './download-window.ts';
import { createPullStream } from './pull-stream.ts';

/** A decompressed layer that is sent to a client. */
export interface Download {
  /** All bytes of the layer. */
  readonly stream: ReadableStream<Uint8Array>;
  /**
   * Waits until the decoder has memory and has decompressed its first bytes.
   * @throws the stream's error; `late()` if no memory becomes free in time; the reason of `left`.
   */
  begin(): Promise<void>;
}

export interface DownloadOptions {
  /** Opens the layer at a frame, or at its first byte if upstream does not send a part. The signal aborts it. */
  readonly open: (from: FramePoint, limitsFrom: LimitsFrom, signal: AbortSignal) => Promise<OpenedLayer>;
  readonly limits: ZstdLimits | undefined;
  /** Path in a `FairQueue`. */
  readonly owner: readonly string[];
  /** The offset of the first byte that the client gets; earlier bytes are hashed and dropped. */
  readonly firstWanted: number;
  /** Aborts when the client has left. */
  readonly left: AbortSignal | undefined;
  /** How long the stream waits for its first window, in milliseconds. */
  readonly patienceMs: number;
  /** Makes the error for a stream that has waited too long. */
  readonly late: () => Error;
  /** The layer's name in messages. */
  readonly what: string;
  readonly clock: Clock;
}

/** Makes the limits for one decoder. @param start the position at which its compressed stream begins. */
export type LimitsFrom = (start: FramePoint) => DownloadLimits | undefined;

export interface OpenedLayer {
  /** Decompressed bytes. */
  readonly stream: ReadableStream<Uint8Array>;
  readonly start: FramePoint;
}

/** One decoder and one connection to upstream. */
interface Run {
  readonly source: ByteSource;
  /** The offset of the next byte of `source`. */
  at: number;
  /** The bytes that `begin` has read ahead. */
  head: Uint8Array | undefined;
}

/**
 * Starts a download. While others wait for memory, a download gives its window back if its client is slow or its owner
 * has more than a fair share. The download then closes its decoder and its connection to upstream. When the client
 * reads on, the download waits in line for memory, and decompresses again from the start of the last frame before its
 * position.
 */
export function createDownload(options: DownloadOptions): Download {
  const { limits, what, left } = options;
  const ended = new AbortController();
  const aborted = eitherSignal(left, ended.signal);
  /** Decompressed bytes that the client has got. */
  let delivered = 0;
  let points = [firstByte];
  let giveBacks = 0;
  let hasBegun = false;
  let run: Run | undefined;
  let window: DownloadWindow | undefined;
  /** The window size of the last decoder. */
  let windowBytes = 0;

  function newWindow(): DownloadWindow | undefined {
    if (limits === undefined) return undefined;
    return createDownloadWindow({
      ...options,
      limits,
      giveBacks,
      isRunning: () => run !== undefined,
      giveBack,
      patienceMs: () => (hasBegun ? undefined : options.patienceMs),
      onTaken: (bytes) => {
        windowBytes = bytes;
      },
    });
  }

  function limitsFrom(start: FramePoint): DownloadLimits | undefined {
    const { owner, firstWanted } = options;
    return (
      limits &&
      window && {
        take: window.take,
        isSkipped: (decompressed) => start.decompressed + decompressed < Math.max(delivered, firstWanted),
        acquireSkipSlot: (signal) => limits.skips.acquire(owner, signal),
        onFrame: ({ compressed, decompressed }) =>
          points.push({
            compressed: start.compressed + compressed,
            decompressed: start.decompressed + decompressed,
          }),
      }
    );
  }

  function giveBack(): void {
    giveBacks += 1;
    run?.source.cancel();
    run = undefined;
    window?.release();
  }

  async function start(): Promise<Run> {
    const [from = firstByte] = points;
    points = [from];
    window = newWindow();
    if (windowBytes > 0) await window?.reserve(windowBytes, ended.signal);
    try {
      const { stream, start } = await options.open(from, limitsFrom, aborted);
      run = { source: openByteSource(stream, what), at: start.decompressed, head: undefined };
      if (aborted.aborted) run.source.cancel(aborted.reason);
      return run;
    } catch (error) {
      window?.release();
      throw error;
    }
  }

  async function* bytesOf(opened: Run): AsyncGenerator<Uint8Array> {
    if (opened.head !== undefined) yield opened.head;
    yield* opened.source.chunks();
  }

  async function* freshBytesOf(current: Run): AsyncGenerator<Uint8Array> {
    for await (const bytes of bytesOf(current)) {
      const fresh = bytes.subarray(Math.max(0, delivered - current.at));
      current.at += bytes.length;
      if (fresh.length === 0) continue;
      delivered += fresh.length;
      while (points[1] !== undefined && points[1].decompressed <= delivered) points.shift();
      window?.pace.delivered(fresh.length);
      yield fresh;
      window?.pace.requested();
    }
  }

  async function* pieces(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const current = run ?? (await start());
        window?.pace.requested();
        yield* freshBytesOf(current);
        if (run === current) return;
      }
    } finally {
      window?.release();
    }
  }

  function cancel(reason: unknown): void {
    ended.abort(reason);
    run?.source.cancel(reason);
    window?.release();
  }

  return {
    stream: createPullStream(pieces(), cancel),

    async begin() {
      const onAbort = () => cancel(left?.reason);
      left?.throwIfAborted();
      left?.addEventListener('abort', onAbort, { once: true });
      try {
        const first = await start();
        first.head = await first.source.read();
        left?.throwIfAborted();
        hasBegun = true;
        window?.pace.delivered(0);
      } catch (error) {
        cancel(error);
        throw error;
      } finally {
        left?.removeEventListener('abort', onAbort);
      }
    },
  };
}
