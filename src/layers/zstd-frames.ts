import { broken } from './broken.ts';
import { type FrameHeader, readFrameStart } from './zstd-header.ts';

/** Some bytes of one zstd frame. */
export interface FramePiece {
  readonly bytes: Uint8Array;
  /** Set on the piece that a frame begins with; the header is in `bytes`. */
  readonly opens: FrameHeader | undefined;
  /** Whether the frame ends with this piece. */
  readonly closes: boolean;
}

/** `block`: no piece has bytes of two blocks, so that none unpacks to more than 128 KiB. */
export type PieceUnit = 'frame' | 'block';

export interface FrameWalk {
  /** Cuts the next bytes of a stream into pieces. @throws Failure UPSTREAM_CONTENT. */
  walk(chunk: Uint8Array): Generator<FramePiece>;
  /** @throws Failure UPSTREAM_CONTENT when the stream must not end here. */
  end(): void;
}

export interface FrameWalkOptions {
  readonly windowLimit: number;
  readonly unit: PieceUnit;
  /** How a message calls the stream. */
  readonly what: string;
}

const blockHeaderLength = 3;
const checksumLength = 4;
/** RFC 8878, section 3.1.1.2.4. */
const largestBlock = 128 * 1024;
const nothing = new Uint8Array();

/**
 * Follows the structure of a zstd stream (RFC 8878, section 3.1), which can be done without unpacking, and leaves
 * out skippable frames. Decoders are then given one frame at a time: that of Node 24 stops without a word after the
 * first frame when a piece goes on beyond it, or at once at a skippable frame, and a window is to be known before
 * memory is given to it.
 */
export function createFrameWalk({ windowLimit, unit, what }: FrameWalkOptions): FrameWalk {
  let phase: 'start' | 'skippable' | 'block' | 'body' = 'start';
  /** The bytes still to come of a skippable frame, or of a block with the checksum behind it. */
  let left = 0;
  let frame: FrameHeader | undefined;
  let lastBlock = false;
  let frames = 0;
  /** A header of which the end has not come yet. */
  let carried: Uint8Array = nothing;

  /** @returns the length of what was understood; 0 while bytes are missing. */
  function start(bytes: Uint8Array, at: number): number {
    const found = readFrameStart(bytes, at);
    if (found === undefined) return 0;
    if (found === 'unknown') throw unknownFrame(what, frames);
    frames += 1;
    if (found.kind === 'skippable') {
      phase = 'skippable';
      left = found.contentLength;
    } else {
      refuseUnreadable(found, windowLimit, what);
      phase = 'block';
      frame = found;
    }
    return found.length;
  }

  /** @returns as `start`. Section 3.1.1.2. */
  function block(bytes: Uint8Array, at: number): number {
    const [first, second, third] = bytes.subarray(at, at + blockHeaderLength);
    if (first === undefined || second === undefined || third === undefined) return 0;
    const type = (first >> 1) & 0b11;
    const size = (first >> 3) | (second << 5) | (third << 13);
    if (type === 3 || size > largestBlock)
      throw broken('not-readable', what, 'has a zstd block that no one can read.');
    lastBlock = (first & 1) === 1;
    phase = 'body';
    // Of an RLE block, the size is that of the content; the one byte repeated is all there is of it.
    left = (type === 1 ? 1 : size) + (lastBlock && frame?.hasChecksum ? checksumLength : 0);
    return blockHeaderLength;
  }

  function* walk(chunk: Uint8Array): Generator<FramePiece> {
    const bytes = join(carried, chunk);
    let at = 0;
    let from = 0;
    let opens: FrameHeader | undefined;
    for (;;) {
      if (phase === 'start') from = at;
      if (phase === 'start' || phase === 'block') {
        const opening = phase === 'start';
        const length = opening ? start(bytes, at) : block(bytes, at);
        if (length === 0) break;
        if (opening) opens = frame;
        at += length;
      }
      if (phase === 'skippable' || phase === 'body') {
        const taken = Math.min(left, bytes.length - at);
        at += taken;
        left -= taken;
        if (left > 0) break;
        const closes: boolean = phase === 'body' && lastBlock;
        if (phase === 'body' && (closes || unit === 'block')) {
          yield { bytes: bytes.subarray(from, at), opens, closes };
          from = at;
          opens = undefined;
        }
        if (phase === 'skippable' || closes) frame = undefined;
        phase = frame === undefined ? 'start' : 'block';
      }
    }
    if (at > from && phase !== 'skippable') yield { bytes: bytes.subarray(from, at), opens, closes: false };
    carried = bytes.slice(at);
  }

  return {
    walk,
    end() {
      if (frames === 0 && carried.length === 0)
        throw broken('cut-short', what, 'is empty; zstd is at least a frame.');
      if (phase === 'start' && carried.length === 0) return;
      throw broken('cut-short', what, 'is cut short: it ends within a zstd frame. Push the image again.');
    },
  };
}

function refuseUnreadable(frame: FrameHeader, windowLimit: number, what: string): void {
  if (frame.dictionary) throw broken('not-readable', what, 'needs a zstd dictionary, which no layer may.');
  if (frame.windowSize <= windowLimit) return;
  throw broken(
    'window',
    what,
    `needs a zstd window of ${frame.windowSize} bytes; at most ${windowLimit} are given to one here. ` +
      'Compress the image again without --long or --ultra.',
  );
}

function unknownFrame(what: string, framesBefore: number): Error {
  if (framesBefore === 0) return broken('not-readable', what, 'should be zstd and is not.');
  return broken('not-readable', what, 'goes on after its last zstd frame with something else.');
}

function join(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0) return second;
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
