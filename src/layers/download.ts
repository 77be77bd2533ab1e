import { isDeadline, withDeadline } from '../concurrency/deadline.ts';
import type { ZstdLimits } from './codec.ts';
import { createPace } from './pace.ts';
import { pulled } from './pulled.ts';
import { openSource, type Source } from './source.ts';
import { type DownloadLimits, type FramePoint, firstByte } from './unpack.ts';

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
  readonly source: Source;
  /** Offset of the next byte that comes out of the source. */
  at: number;
  /** Read ahead by `begin`. */
  head: Uint8Array | undefined;
}

/** After so many windows given back, the time for which a stream keeps the next one grows no more. */
const mostDoublings = 2;

/** A stream that is not slow keeps its window at least this many times as long as a slow one. */
const fastFactor = 4;

/**
 * A download gives its window back while others wait for memory, when its client is slow or its owner has more than a
 * share. It closes its decoder and its connection to upstream then. When the client asks for more, the download waits
 * in line again and decompresses again to its place, from the last frame that has begun before it.
 */
export function createDownload(options: DownloadOptions): Download {
  const { limits, clock, what, left } = options;
  const ended = new AbortController();
  const aborted = left ? AbortSignal.any([left, ended.signal]) : ended.signal;
  /** Decompressed bytes given out. */
  let given = 0;
  let points = [firstByte];
  let giveBacks = 0;
  let isBegun = false;
  let run: Run | undefined;
  let pace = createPace(0, clock);

  function limitsFrom(start: FramePoint): DownloadLimits | undefined {
    if (limits === undefined) return undefined;
    const { owner, firstWanted } = options;
    const graceMs = limits.graceMs * 2 ** Math.min(giveBacks, mostDoublings);
    let takenAt: number | undefined;
    pace = createPace(graceMs, clock);
    const holder = {
      isSlow: pace.isSlow,
      hasHadItsTime: () => takenAt !== undefined && clock() - takenAt >= fastFactor * graceMs,
      giveBack,
    };
    return {
      async take(bytes, signal) {
        const giveWindowBack = await inTime(
          (wait) => limits.downloads.take({ bytes, owner, holder }, wait),
          signal,
        );
        takenAt ??= clock();
        return giveWindowBack;
      },
      skips: (decompressed) => start.unpacked + decompressed < Math.max(given, firstWanted),
      place: (signal) => limits.skips.acquire(owner, signal),
      onFrame: ({ packed, unpacked }) =>
        points.push({ packed: start.packed + packed, unpacked: start.unpacked + unpacked }),
    };
  }

  /** An answer that has begun waits as long as its client does. */
  async function inTime<T>(take: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    if (isBegun) return take(signal);
    return withDeadline(options.patienceMs, signal, async (wait) => {
      try {
        return await take(wait);
      } catch (error) {
        throw isDeadline(wait) ? options.late() : error;
      }
    });
  }

  function giveBack(): void {
    giveBacks += 1;
    run?.source.giveUp();
    run = undefined;
  }

  async function start(): Promise<Run> {
    const [from = firstByte] = points;
    points = [from];
    const { stream, start } = await options.open(from, limitsFrom, aborted);
    const opened = { source: openSource(stream, what), at: start.unpacked, head: undefined };
    run = opened;
    if (aborted.aborted) opened.source.giveUp(aborted.reason);
    return opened;
  }

  async function* bytesOf(opened: Run): AsyncGenerator<Uint8Array> {
    if (opened.head !== undefined) yield opened.head;
    yield* opened.source.chunks();
  }

  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const current = run ?? (await start());
      pace.asked();
      for await (const bytes of bytesOf(current)) {
        const fresh = bytes.subarray(Math.max(0, given - current.at));
        current.at += bytes.length;
        if (fresh.length === 0) continue;
        given += fresh.length;
        while (points[1] !== undefined && points[1].unpacked <= given) points.shift();
        pace.gave(fresh.length);
        yield fresh;
        pace.asked();
      }
      if (run === current) return;
    }
  }

  function giveUp(reason: unknown): void {
    ended.abort(reason);
    run?.source.giveUp(reason);
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
        pace.gave(0);
      } catch (error) {
        giveUp(error);
        throw error;
      } finally {
        left?.removeEventListener('abort', onAbort);
      }
    },
  };
}
