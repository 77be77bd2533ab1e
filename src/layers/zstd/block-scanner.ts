import { corruptLayer } from '../corrupt-layer.ts';
import { type FrameHeader, readFrameStart } from './frame-header.ts';

export interface BlockStep {
  /** Bytes that the step consumed. */
  readonly length: number;
  /** `starved`: the next step needs more bytes. */
  readonly found: 'starved' | 'frame' | 'inside' | 'block-end' | 'frame-end' | 'skipped';
}

export interface BlockScanner {
  /** The current frame; `undefined` between frames and in skippable frames. */
  readonly frame: FrameHeader | undefined;
  /** The number of frames so far, including skippable ones. */
  readonly frames: number;
  /** Whether the last step ended between frames, where a stream may end. */
  readonly between: boolean;
  /** Scans on from `at`. A partial header is not consumed. @throws RegistryError UPSTREAM_CONTENT. */
  step(bytes: Uint8Array, at: number): BlockStep;
}

const blockHeaderLength = 3;
const checksumLength = 4;
/** The maximum block size, in bytes (RFC 8878, section 3.1.1.2.4). */
const largestBlock = 128 * 1024;
const starved: BlockStep = { length: 0, found: 'starved' };

/** Scans the structure of a zstd stream: frames, blocks and skippable frames (RFC 8878, section 3.1). */
export function createBlockScanner(what: string): BlockScanner {
  let phase: 'start' | 'header' | 'body' | 'skipping' = 'start';
  let frame: FrameHeader | undefined;
  let frames = 0;
  /** The remaining bytes of a skippable frame, or of a block and the checksum after it. */
  let left = 0;
  let lastBlock = false;

  function start(bytes: Uint8Array, at: number): BlockStep {
    const begun = readFrameStart(bytes, at);
    if (begun === undefined) return starved;
    if (begun === 'unknown') throw unknownFrame(what, frames);
    frames += 1;
    if (begun.kind === 'skippable') {
      phase = 'skipping';
      left = begun.contentLength;
      return { length: begun.length, found: 'inside' };
    }
    phase = 'header';
    frame = begun;
    return { length: begun.length, found: 'frame' };
  }

  /** Reads a block header (section 3.1.1.2). */
  function blockHeader(bytes: Uint8Array, at: number): BlockStep {
    const [first, second, third] = bytes.subarray(at, at + blockHeaderLength);
    if (first === undefined || second === undefined || third === undefined) return starved;
    const type = (first >> 1) & 0b11;
    const size = (first >> 3) | (second << 5) | (third << 13);
    if (type === 3 || size > largestBlock) {
      throw corruptLayer('not-readable', what, 'has a zstd block of a kind that there is not.');
    }
    phase = 'body';
    lastBlock = (first & 1) === 1;
    // The size of an RLE block is that of its decompressed content; the block itself is a single byte.
    left = (type === 1 ? 1 : size) + (lastBlock && frame?.hasChecksum ? checksumLength : 0);
    return { length: blockHeaderLength, found: 'inside' };
  }

  function content(bytes: Uint8Array, at: number): BlockStep {
    const length = Math.min(left, bytes.length - at);
    left -= length;
    if (left > 0) return { length, found: 'starved' };
    if (phase === 'body' && !lastBlock) {
      phase = 'header';
      return { length, found: 'block-end' };
    }
    const found = phase === 'body' ? 'frame-end' : 'skipped';
    phase = 'start';
    frame = undefined;
    return { length, found };
  }

  return {
    get frame() {
      return frame;
    },
    get frames() {
      return frames;
    },
    get between() {
      return phase === 'start';
    },
    step(bytes, at) {
      if (phase === 'start') return start(bytes, at);
      return phase === 'header' ? blockHeader(bytes, at) : content(bytes, at);
    },
  };
}

function unknownFrame(what: string, framesBefore: number): Error {
  if (framesBefore === 0) return corruptLayer('not-readable', what, 'should be zstd and is not.');
  return corruptLayer('not-readable', what, 'goes on after its last zstd frame with something else.');
}
