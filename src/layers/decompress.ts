import { concatenate } from '../../converters/bytes.ts';
import type { Compression } from '../../converters/media-types.ts';
import { isRegistryOrAbortError } from '../upstream/body.ts';
import { type ByteSource, openByteSource } from './byte-stream.ts';
import type { LayerCodec } from './codec.ts';
import { corruptLayer } from './corrupt-layer.ts';
import {
  createDecompressionGuard,
  type DecompressionGuard,
  type DecompressionLimits,
} from './decompression-limits.ts';
import { type DownloadLimits, forConversion } from './download-limits.ts';
import { createPullStream } from './pull-stream.ts';
import { createSkipSlot } from './skip-slot.ts';
import { createFrameSplitter } from './zstd/frame-splitter.ts';

export interface DecompressOptions {
  readonly codec: LayerCodec;
  readonly limits: DecompressionLimits;
  /** The layer's name in messages, like `layer sha256:…`. */
  readonly what: string;
  /** Absent for a layer that is read for a conversion. */
  readonly download?: DownloadLimits;
}

type KnownCompression = Exclude<Compression, 'unknown'>;

/** Decompressed bytes in memory for a slow reader. The decoder's thread never waits for a fast reader. */
const readAhead = 256 * 1024;

/**
 * Decompresses a layer as it is read, with constant memory. Cancelling the result cancels `compressed`.
 * The result errors with RegistryError UPSTREAM_CONTENT if the content is broken or too large (`detail.fault` has the
 * `LayerFault`), and with UPSTREAM_ANSWER if upstream ends the stream early.
 */
export function decompress(
  compressed: ReadableStream<Uint8Array>,
  compression: KnownCompression,
  options: DecompressOptions,
): ReadableStream<Uint8Array> {
  const source = openByteSource(compressed, options.what);
  const abandoned = new AbortController();
  const cancel = (reason: unknown) => {
    abandoned.abort(reason);
    source.cancel(reason);
  };
  return createPullStream(guarded(source, compression, options, abandoned.signal), cancel, readAhead);
}

async function* guarded(
  source: ByteSource,
  compression: KnownCompression,
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
    if (isRegistryOrAbortError(error) || signal.aborted) throw error;
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

const decoders: Readonly<Record<KnownCompression, Decode>> = {
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
    const slot = createSkipSlot({
      isSkipped: download.isSkipped,
      acquire: () => download.acquireSkipSlot(signal),
    });
    const joiner = createPartJoiner();
    let decompressed = 0;
    try {
      for await (const bytes of compressed) {
        for (const piece of frames.split(bytes)) {
          if (piece.opens) download.onFrame({ compressed: piece.at, decompressed });
          if (piece.opens) slot.release();
          await decoder.prepare(piece);
          for await (const part of withSlot(decoder.push(piece), () => slot.enter(decompressed))) {
            decompressed += part.length;
            yield* joiner.add(part);
          }
        }
        yield* joiner.rest();
        slot.release();
      }
      frames.end();
    } finally {
      slot.release();
      decoder.close();
    }
  },
};

async function* withSlot(
  parts: AsyncIterable<Uint8Array>,
  enter: () => Promise<void>,
): AsyncGenerator<Uint8Array> {
  const iterator = parts[Symbol.asyncIterator]();
  try {
    for (;;) {
      await enter();
      const { done, value } = await iterator.next();
      if (done) return;
      yield value;
    }
  } finally {
    await iterator.return?.();
  }
}

/** A part of at least this many bytes is passed on as it is. */
const joinedBytes = 64 * 1024;

/** Joins short parts, like the files of zstd:chunked: each part takes its way through streams, a hash and a write. */
function createPartJoiner() {
  let parts: Uint8Array[] = [];
  let length = 0;

  function* rest(): Generator<Uint8Array> {
    const [only, ...others] = parts;
    const whole = others.length === 0 ? only : concatenate(parts);
    parts = [];
    length = 0;
    if (whole !== undefined) yield whole;
  }

  return {
    rest,
    *add(part: Uint8Array): Generator<Uint8Array> {
      parts.push(part);
      length += part.length;
      if (length >= joinedBytes) yield* rest();
    },
  };
}
