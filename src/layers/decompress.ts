import type { Compression } from '../../converters/media-types.ts';
import { type ByteSource, isReadable, openByteSource } from './byte-stream.ts';
import type { LayerCodec } from './codec.ts';
import { corruptLayer } from './corrupt-layer.ts';
import {
  createDecompressionGuard,
  type DecompressionGuard,
  type DecompressionLimits,
} from './decompression-limits.ts';
import { type DownloadLimits, forConversion } from './download-limits.ts';
import { pulled } from './pulled.ts';
import { createSkipTurn } from './skip-turn.ts';
import { createFrameSplitter } from './zstd/frame-splitter.ts';

export interface DecompressOptions {
  readonly codec: LayerCodec;
  readonly limits: DecompressionLimits;
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
 * The result errors with RegistryError UPSTREAM_CONTENT where the content is not what it should be or too much (`Fault`
 * in `detail`), UPSTREAM_ANSWER where upstream breaks off.
 */
export function decompress(
  compressed: ReadableStream<Uint8Array>,
  compression: Known,
  options: DecompressOptions,
): ReadableStream<Uint8Array> {
  const source = openByteSource(compressed, options.what);
  const abandoned = new AbortController();
  const giveUp = (reason: unknown) => {
    abandoned.abort(reason);
    source.giveUp(reason);
  };
  return pulled(guarded(source, compression, options, abandoned.signal), giveUp, readAhead);
}

async function* guarded(
  source: ByteSource,
  compression: Known,
  options: DecompressOptions,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const { limits, what } = options;
  const guard = createDecompressionGuard(limits, what);
  try {
    for await (const bytes of decoders[compression](counted(source, guard), options, signal)) {
      guard.decompressed(bytes);
      yield bytes;
    }
  } catch (error) {
    if (isReadable(error) || signal.aborted) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw corruptLayer('not-readable', what, `is broken ${compression} (${reason}). Push it again.`, error);
  }
}

async function* counted(source: ByteSource, guard: DecompressionGuard): AsyncGenerator<Uint8Array> {
  for await (const bytes of source.chunks()) {
    guard.compressed(bytes);
    yield bytes;
  }
}

type Decode = (
  compressed: AsyncIterable<Uint8Array>,
  options: DecompressOptions,
  signal: AbortSignal,
) => AsyncIterable<Uint8Array>;

const decoders: Readonly<Record<Known, Decode>> = {
  none: (plain) => plain,

  async *gzip(compressed, { codec }) {
    const decoder = codec.gunzip();
    try {
      for await (const bytes of compressed) yield* decoder.push(bytes);
      yield* decoder.end();
    } finally {
      decoder.close();
    }
  },

  async *zstd(compressed, options, signal) {
    const { codec, what, download = forConversion(codec) } = options;
    const { windowLimit, unit } = codec.zstd;
    const frames = createFrameSplitter({ windowLimit, unit, what });
    const decoder = codec.zstd.decompress((bytes) => download.take(bytes, signal));
    const turn = createSkipTurn({ skips: download.skips, place: () => download.place(signal) });
    let decompressed = 0;
    try {
      for await (const bytes of compressed) {
        for (const piece of frames.walk(bytes)) {
          if (piece.opens) download.onFrame({ compressed: piece.at, decompressed });
          if (piece.opens) turn.leave();
          await decoder.prepare(piece);
          for await (const part of inTurn(decoder.push(piece), () => turn.enter(decompressed))) {
            decompressed += part.length;
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
