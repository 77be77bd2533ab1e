import { corruptLayer } from '../corrupt-layer.ts';
import { createBlockScanner } from './block-scanner.ts';
import type { FrameHeader } from './frame-header.ts';

/** Some bytes of one zstd frame. */
export interface FramePiece {
  readonly bytes: Uint8Array;
  /** Set on the piece that a frame begins with; the header is in `bytes`. */
  readonly opens: FrameHeader | undefined;
  /** Offset of the piece in the stream. */
  readonly at: number;
  /** Whether the frame ends with this piece. */
  readonly closes: boolean;
}

/** `block`: no piece has bytes of two blocks, so that none unpacks to more than 128 KiB. */
export type PieceUnit = 'frame' | 'block';

export interface FrameSplitter {
  /** Cuts the next bytes of a stream into pieces. @throws RegistryError UPSTREAM_CONTENT. */
  walk(chunk: Uint8Array): Generator<FramePiece>;
  /** @throws RegistryError UPSTREAM_CONTENT when the stream must not end here. */
  end(): void;
}

export interface FrameSplitterOptions {
  /** The largest window that a frame may ask for, in bytes. */
  readonly windowLimit: number;
  readonly unit: PieceUnit;
  /** How a message calls the stream. */
  readonly what: string;
}

/**
 * Cuts a zstd stream at the ends of its frames, which can be found without unpacking, and leaves out skippable
 * frames. Decoders are then given one frame at a time: that of Node 24 stops without a word after the first frame
 * when its input goes on beyond it, or at once at a skippable frame. And a window is known before memory is given.
 */
export function createFrameSplitter({ windowLimit, unit, what }: FrameSplitterOptions): FrameSplitter {
  const scanner = createBlockScanner(what);
  /** The beginning of a header whose end has not come yet. */
  let carried: Uint8Array = new Uint8Array();
  /** Bytes of the stream before `carried`. */
  let walked = 0;

  function* walk(chunk: Uint8Array): Generator<FramePiece> {
    const bytes = join(carried, chunk);
    let from = 0;
    let at = 0;
    let opens: FrameHeader | undefined;
    for (;;) {
      const { length, found } = scanner.step(bytes, at);
      if (found === 'frame') {
        opens = readable(scanner.frame, windowLimit, what);
        from = at;
      }
      at += length;
      if (found === 'starved') break;
      if (found === 'frame-end' || (found === 'block-end' && unit === 'block')) {
        yield { bytes: bytes.subarray(from, at), opens, at: walked + from, closes: found === 'frame-end' };
        opens = undefined;
        from = at;
      }
    }
    if (scanner.frame !== undefined && at > from)
      yield { bytes: bytes.subarray(from, at), opens, at: walked + from, closes: false };
    carried = bytes.slice(at);
    walked += at;
  }

  return {
    walk,
    end() {
      if (scanner.between && scanner.frames > 0 && carried.length === 0) return;
      throw corruptLayer(
        'cut-short',
        what,
        'is cut short: its zstd ends before the last frame does. Push it again.',
      );
    },
  };
}

function readable(
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
