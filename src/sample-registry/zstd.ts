import { join, littleEndian, pieces, utf8 } from './bytes.ts';

export interface ZstdOptions {
  /**
   * True if the header of each frame has the size of its content. Streaming compressors omit it; the size is then
   * known only after decompression.
   */
  readonly contentSize: boolean;
  /** The number of frames, of which pzstd and zstd:chunked write several; the default is 1. */
  readonly frames?: number;
  /** The position of a skippable frame: pzstd writes one first, zstd:chunked last. There is none by default. */
  readonly skippable?: 'first' | 'last';
}

// RFC 8878, 3.1.1 and 3.1.2.
const frameMagic = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd);
const skippableMagic = Uint8Array.of(0x50, 0x2a, 0x4d, 0x18);

/** The largest content of a block in bytes (RFC 8878, 3.1.1.2.4), and the window that the headers below declare. */
const blockLimit = 128 * 1024;

/** Encodes as Zstandard (RFC 8878) in raw blocks. Real zstd decodes it, and it has only one possible output. */
export function zstd(bytes: Uint8Array, options: ZstdOptions): Uint8Array {
  const frameLength = Math.max(1, Math.ceil(bytes.length / (options.frames ?? 1)));
  const frames = pieces(bytes, frameLength).map((content) => frame(content, options.contentSize));
  const skippable = skippableFrame(utf8('A decoder passes over this.'));
  const first = options.skippable === 'first' ? [skippable] : [];
  const last = options.skippable === 'last' ? [skippable] : [];
  return join([...first, ...frames, ...last]);
}

function frame(content: Uint8Array, contentSize: boolean): Uint8Array {
  const blocks = pieces(content, blockLimit);
  const body = blocks.flatMap((block, index) => {
    const last = index === blocks.length - 1 ? 1 : 0;
    return [littleEndian(last + block.length * 8, 3), block];
  });
  return join([frameMagic, contentSize ? sizedHeader(content.length) : windowHeader, ...body]);
}

/** A header with Single_Segment_Flag and a Frame_Content_Size of four bytes. The window is the content itself. */
function sizedHeader(length: number): Uint8Array {
  return join([Uint8Array.of(0b1010_0000), littleEndian(length, 4)]);
}

/** A header without a content size, which must state the window: 2^(10 + 7) bytes. */
const windowHeader = Uint8Array.of(0b0000_0000, 7 << 3);

function skippableFrame(content: Uint8Array): Uint8Array {
  return join([skippableMagic, littleEndian(content.length, 4), content]);
}
