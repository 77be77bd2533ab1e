import { type ByteSource, openByteSource } from './byte-stream.ts';
import type { ZstdLimits } from './codec.ts';
import { type DownloadLimits, type FramePoint, firstByte } from './download-limits.ts';
import { createDownloadWindow, type DownloadWindow } from './download-window.ts';
import { pulled } from './pulled.ts';

/** A decompressed layer on its way to a client. */
export interface Download {
  /** All bytes of the layer. */
  readonly stream: ReadableStream<Uint8Array>;
  /**
   * Waits until the decoder has its memory and the first bytes are there.
   * @throws what the stream would error with; `late()` where the memory does not come in time; the reason of `left`.
   */
  begin(): Promise<void>;
}

export interface DownloadOptions {
  /** Opens the layer at a frame, or at its first byte where upstream sends no part. The signal aborts it. */
  readonly open: (from: FramePoint, limitsFrom: LimitsFrom, signal: AbortSignal) => Promise<OpenedLayer>;
  readonly limits: ZstdLimits | undefined;
  /** Path in a `FairQueue`. */
  readonly owner: readonly string[];
  /** The first byte that the client gets; those before are hashed and dropped. */
  readonly firstWanted: number;
  /** The client has left. */
  readonly left: AbortSignal | undefined;
  /** How long the stream waits for its first window, in milliseconds. */
  readonly patienceMs: number;
  readonly late: () => Error;
  /** How a message calls the layer. */
  readonly what: string;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** @param start where the packed stream begins. */
export type LimitsFrom = (start: FramePoint) => DownloadLimits | undefined;

export interface OpenedLayer {
  /** Decompressed. */
  readonly stream: ReadableStream<Uint8Array>;
  readonly start: FramePoint;
}

/** One decoder and one connection to upstream. */
interface Run {
  readonly source: ByteSource;
  /** Offset of the next byte that comes out of the source. */
  at: number;
  /** Read ahead by `begin`. */
  head: Uint8Array | undefined;
}

/**
 * A download gives its window back while others wait for memory, when its client is slow or its owner has more than a
 * share. It closes its decoder and its connection to upstream then. When the client asks for more, the download waits
 * in line again and decompresses again to its place, from the last frame that has begun before it.
 */
export function createDownload(options: DownloadOptions): Download {
  const { limits, what, left } = options;
  const ended = new AbortController();
  const aborted = left ? AbortSignal.any([left, ended.signal]) : ended.signal;
  /** Decompressed bytes given out. */
  let given = 0;
  let points = [firstByte];
  let giveBacks = 0;
  let isBegun = false;
  let run: Run | undefined;
  let window: DownloadWindow | undefined;
  /** The window that the last decoder had. */
  let windowBytes = 0;

  function newWindow(): DownloadWindow | undefined {
    if (limits === undefined) return undefined;
    return createDownloadWindow({
      ...options,
      limits,
      giveBacks,
      isRunning: () => run !== undefined,
      giveBack,
      patienceMs: () => (isBegun ? undefined : options.patienceMs),
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
        skips: (decompressed) => start.decompressed + decompressed < Math.max(given, firstWanted),
        place: (signal) => limits.skips.acquire(owner, signal),
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
    run?.source.giveUp();
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
      if (aborted.aborted) run.source.giveUp(aborted.reason);
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
      const fresh = bytes.subarray(Math.max(0, given - current.at));
      current.at += bytes.length;
      if (fresh.length === 0) continue;
      given += fresh.length;
      while (points[1] !== undefined && points[1].decompressed <= given) points.shift();
      window?.pace.gave(fresh.length);
      yield fresh;
      window?.pace.asked();
    }
  }

  async function* pieces(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const current = run ?? (await start());
        window?.pace.asked();
        yield* freshBytesOf(current);
        if (run === current) return;
      }
    } finally {
      window?.release();
    }
  }

  function giveUp(reason: unknown): void {
    ended.abort(reason);
    run?.source.giveUp(reason);
    window?.release();
  }

  return {
    stream: pulled(pieces(), giveUp),

    async begin() {
      const onAbort = () => giveUp(left?.reason);
      left?.throwIfAborted();
      left?.addEventListener('abort', onAbort, { once: true });
      try {
        const first = await start();
        first.head = await first.source.read();
        left?.throwIfAborted();
        isBegun = true;
        window?.pace.gave(0);
      } catch (error) {
        giveUp(error);
        throw error;
      } finally {
        left?.removeEventListener('abort', onAbort);
      }
    },
  };
}
