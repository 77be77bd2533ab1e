import type { Compression } from '../../converters/media-types.ts';
import { isUnderstood, openSource, type Source } from './byte-stream.ts';
import type { LayerCodec } from './codec.ts';
import { broken } from './corrupt-layer.ts';
import { createGuard, type Guard, type UnpackLimits } from './decompression-limits.ts';
import { type DownloadLimits, forConversion } from './download-limits.ts';
import { pulled } from './pulled.ts';
import { createSkipTurn } from './skip-turn.ts';
import { createFrameWalk } from './zstd/frame-splitter.ts';

export interface UnpackOptions {
  readonly codec: LayerCodec;
  readonly limits: UnpackLimits;
  /** How a message calls it, like `layer sha256:…`. */
  readonly what: string;
  /** Absent for a layer that is read for a conversion. */
  readonly download?: DownloadLimits;
}

type Known = Exclude<Compression, 'unknown'>;

/** Unpacked bytes that may wait for a slow reader; enough that a decoder's thread need not wait for a fast one. */
const readAhead = 256 * 1024;

/**
 * Unpacks a layer as it is read, with constant memory. Cancelling the result cancels `packed`.
 * The result errors with Failure UPSTREAM_CONTENT where the content is not what it should be or too much (`Fault`
 * in `detail`), UPSTREAM_ANSWER where upstream breaks off.
 */
export function unpack(
  packed: ReadableStream<Uint8Array>,
  compression: Known,
  options: UnpackOptions,
): ReadableStream<Uint8Array> {
  const source = openSource(packed, options.what);
  const abandoned = new AbortController();
  const giveUp = (reason: unknown) => {
    abandoned.abort(reason);
    source.giveUp(reason);
  };
  return pulled(guarded(source, compression, options, abandoned.signal), giveUp, readAhead);
}

async function* guarded(
  source: Source,
  compression: Known,
  options: UnpackOptions,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const { limits, what } = options;
  const guard = createGuard(limits, what);
  try {
    for await (const bytes of decoders[compression](counted(source, guard), options, signal)) {
      guard.unpacked(bytes);
      yield bytes;
    }
  } catch (error) {
    if (isUnderstood(error) || signal.aborted) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw broken('not-readable', what, `is broken ${compression} (${reason}). Push it again.`, error);
  }
}

async function* counted(source: Source, guard: Guard): AsyncGenerator<Uint8Array> {
  for await (const bytes of source.chunks()) {
    guard.packed(bytes);
    yield bytes;
  }
}

type Decode = (
  packed: AsyncIterable<Uint8Array>,
  options: UnpackOptions,
  signal: AbortSignal,
) => AsyncIterable<Uint8Array>;

const decoders: Readonly<Record<Known, Decode>> = {
  none: (plain) => plain,

  async *gzip(packed, { codec }) {
    const decoder = codec.gunzip();
    try {
      for await (const bytes of packed) yield* decoder.push(bytes);
      yield* decoder.end();
    } finally {
      decoder.close();
    }
  },

  async *zstd(packed, options, signal) {
    const { codec, what, download = forConversion(codec) } = options;
    const { windowLimit, unit } = codec.zstd;
    const frames = createFrameWalk({ windowLimit, unit, what });
    const decoder = codec.zstd.unpack((bytes) => download.take(bytes, signal));
    const turn = createSkipTurn({ skips: download.skips, place: () => download.place(signal) });
    let unpacked = 0;
    try {
      for await (const bytes of packed) {
        for (const piece of frames.walk(bytes)) {
          if (piece.opens) download.onFrame({ packed: piece.at, unpacked });
          if (piece.opens) turn.leave();
          await decoder.prepare(piece);
          for await (const part of inTurn(decoder.push(piece), () => turn.enter(unpacked))) {
            unpacked += part.length;
            yield part;
          }
        }
        turn.leave();
      }
      frames.end();
    } finally {
      turn.leave();
      decoder.close();
    }
  },
};

async function* inTurn(
  parts: AsyncIterable<Uint8Array>,
  enter: () => Promise<void>,
): AsyncGenerator<Uint8Array> {
  const making = parts[Symbol.asyncIterator]();
  try {
    for (;;) {
      await enter();
      const { done, value } = await making.next();
      if (done) return;
      yield value;
    }
  } finally {
    await making.return?.();
  }
}
