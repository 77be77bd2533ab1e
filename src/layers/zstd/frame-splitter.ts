import { corruptLayer } from '../corrupt-layer.ts';
import { createBlockScanner } from './block-scanner.ts';
import type { FrameHeader } from './frame-header.ts';

/** Some bytes of one zstd frame. */
export interface FramePiece {
  readonly bytes: Uint8Array;
  /** The frame's header, on the first piece of a frame. `bytes` includes the header. */
  readonly opens: FrameHeader | undefined;
  /** Offset of the piece in the stream. */
  readonly at: number;
  /** Whether the frame ends with this piece. */
  readonly closes: boolean;
}

/** The largest piece. A `block` decompresses to at most 128 KiB. */
export type PieceUnit = 'frame' | 'block';

export interface FrameSplitter {
  /** Splits the next bytes of a stream into pieces. @throws RegistryError UPSTREAM_CONTENT. */
  split(chunk: Uint8Array): Generator<FramePiece>;
  /** Ends the stream. @throws RegistryError UPSTREAM_CONTENT inside a frame or without any frame. */
  end(): void;
}

export interface FrameSplitterOptions {
  /** The largest window that a frame may need, in bytes. */
  readonly windowLimit: number;
  readonly unit: PieceUnit;
  /** The stream's name in messages. */
  readonly what: string;
}

/**
 * Splits a zstd stream into frames without decompressing it, and drops skippable frames. A decoder then gets one frame
 * at a time: the decoder of Node 24 stops silently after the first frame if more input follows, and immediately at a
 * skippable frame. The splitter also tells the window size of a frame before the decoder takes memory for it.
 */
export function createFrameSplitter({ windowLimit, unit, what }: FrameSplitterOptions): FrameSplitter {
  const scanner = createBlockScanner(what);
  /** The beginning of an incomplete header. */
  let remainder: Uint8Array = new Uint8Array();
  /** The offset of `remainder` in the stream. */
  let offset = 0;

  function* split(chunk: Uint8Array): Generator<FramePiece> {
    const bytes = join(remainder, chunk);
    let from = 0;
    let at = 0;
    let opens: FrameHeader | undefined;
    for (;;) {
      const { length, found } = scanner.step(bytes, at);
      if (found === 'frame') {
        opens = checkHeader(scanner.frame, windowLimit, what);
        from = at;
      }
      at += length;
      if (found === 'starved') break;
      if (found === 'frame-end' || (found === 'block-end' && unit === 'block')) {
        yield { bytes: bytes.subarray(from, at), opens, at: offset + from, closes: found === 'frame-end' };
        opens = undefined;
        from = at;
      }
    }
    if (scanner.frame !== undefined && at > from)
      yield { bytes: bytes.subarray(from, at), opens, at: offset + from, closes: false };
    remainder = bytes.slice(at);
    offset += at;
  }

  return {
    split,
    end() {
      if (scanner.between && scanner.frames > 0 && remainder.length === 0) return;
      throw corruptLayer(
        'cut-short',
        what,
        'is cut short: its zstd ends before the last frame does. Push it again.',
      );
    },
  };
}

function checkHeader(
  frame: FrameHeader | undefined,
  windowLimit: number,
  what: string,
): FrameHeader | undefined {
  if (frame?.dictionary)
    throw corruptLayer('not-readable', what, 'needs a zstd dictionary, which no client has.');
  if (frame === undefined || frame.windowSize <= windowLimit) return frame;
  throw corruptLayer(
    'window',
    what,
    `needs a zstd window of ${frame.windowSize} bytes; at most ${windowLimit} are given to one here. ` +
      'Compress it again without --long and --ultra.',
  );
}

function join(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0) return second;
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
