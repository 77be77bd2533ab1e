/** The start of a frame in a zstd stream (RFC 8878, section 3.1). */
export type FrameStart =
  | ({ readonly kind: 'frame' } & FrameHeader)
  | { readonly kind: 'skippable'; readonly length: number; readonly contentLength: number };

export interface FrameHeader {
  /** Bytes of the header, including the magic number. */
  readonly length: number;
  /** The memory that a decoder needs for earlier output, in bytes. */
  readonly windowSize: number;
  /** The decompressed size that the header states, in bytes; undefined if it states none. */
  readonly contentSize: number | undefined;
  readonly hasChecksum: boolean;
  readonly dictionary: boolean;
}

/** Reads the frame header at `at`. @returns `undefined` if bytes are missing, `unknown` if no frame begins there. */
export function readFrameStart(bytes: Uint8Array, at: number): FrameStart | 'unknown' | undefined {
  if (bytes.length < at + 4) return undefined;
  const magic = littleEndian(bytes, at, 4);
  // Sixteen magic numbers, 0x184D2A50 to 0x184D2A5F (section 3.1.2).
  if (magic >= 0x184d2a50 && magic <= 0x184d2a5f) {
    if (bytes.length < at + 8) return undefined;
    return { kind: 'skippable', length: 8, contentLength: littleEndian(bytes, at + 4, 4) };
  }
  if (magic !== 0xfd2fb528) return 'unknown';
  const descriptor = bytes[at + 4];
  return descriptor === undefined ? undefined : frameHeader(bytes, at, descriptor);
}

/** Reads the header of a frame with content (section 3.1.1.1). */
function frameHeader(bytes: Uint8Array, at: number, descriptor: number): FrameStart | 'unknown' | undefined {
  // The Reserved_bit is for future versions of the format.
  if (descriptor & 0b1000) return 'unknown';
  const singleSegment = (descriptor & 0b10_0000) !== 0;
  const dictionaryLength = [0, 1, 2, 4][descriptor & 0b11] ?? 0;
  const sizeLength = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  const windowLength = singleSegment ? 0 : 1;
  const length = 5 + windowLength + dictionaryLength + sizeLength;
  if (bytes.length < at + length) return undefined;
  const size = sizeLength === 0 ? undefined : contentSize(bytes, at + length - sizeLength, sizeLength);
  return {
    kind: 'frame',
    length,
    windowSize: singleSegment ? (size ?? 0) : windowSize(bytes[at + 5] ?? 0),
    contentSize: size,
    hasChecksum: (descriptor & 0b100) !== 0,
    dictionary: littleEndian(bytes, at + 5 + windowLength, dictionaryLength) !== 0,
  };
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 0b111);
}

/** Reads the content size; a field of two bytes has an offset of 256 (section 3.1.1.1.4). */
function contentSize(bytes: Uint8Array, at: number, length: number): number {
  return littleEndian(bytes, at, length) + (length === 2 ? 256 : 0);
}

function littleEndian(bytes: Uint8Array, at: number, length: number): number {
  let value = 0;
  for (let index = length - 1; index >= 0; index -= 1) value = value * 256 + (bytes[at + index] ?? 0);
  return value;
}
