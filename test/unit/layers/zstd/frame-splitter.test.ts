import { describe, expect, test } from 'vitest';
import { readFrameStart } from '../../../../src/layers/zstd/frame-header.ts';
import { createFrameSplitter, type FramePiece } from '../../../../src/layers/zstd/frame-splitter.ts';

const magic = [0x28, 0xb5, 0x2f, 0xfd];

describe('a frame header', () => {
  // RFC 8878, 3.1.1.1: descriptor, window, dictionary, content size.
  const headers: readonly [name: string, bytes: number[], expected: object][] = [
    ['the smallest window', [0, 0], { length: 6, windowSize: 1024, contentSize: undefined }],
    ['eighths of a window', [0, (7 << 3) | 5], { length: 6, windowSize: 131_072 + 5 * 16_384 }],
    ['the largest window', [0, 0xff], { length: 6, windowSize: 2 ** 41 + 7 * 2 ** 38 }],
    ['a size of a byte', [0x20, 200], { length: 6, windowSize: 200, contentSize: 200 }],
    ['a size of two bytes, from 256 on', [0x60, 1, 1], { length: 7, windowSize: 513 }],
    ['a size of four bytes', [0xa0, 0, 0, 0, 0x80], { length: 9, windowSize: 2 ** 31 }],
    ['a size of eight bytes', [0xe0, 1, 0, 0, 0, 1, 0, 0, 0], { length: 13, windowSize: 2 ** 32 + 1 }],
    [
      'a size beside a window',
      [0x80, 8, 1, 2, 3, 4],
      { length: 10, windowSize: 2048, contentSize: 0x4030201 },
    ],
    ['a checksum', [0x24, 0], { length: 6, hasChecksum: true }],
    ['a dictionary of two bytes', [0x22, 0, 1, 7], { length: 8, dictionary: true, windowSize: 7 }],
    ['a dictionary that is none', [0x23, 0, 0, 0, 0, 7], { length: 10, dictionary: false, windowSize: 7 }],
  ];

  test.each(headers)('%s', (_name, bytes, expected) => {
    const whole = Uint8Array.from([...magic, ...bytes]);
    const common = { kind: 'frame', hasChecksum: false, dictionary: false };
    expect(readFrameStart(Uint8Array.of(9, 9, ...whole, 9), 2)).toMatchObject({ ...common, ...expected });
    for (let length = 0; length < whole.length; length += 1) {
      expect(readFrameStart(whole.subarray(0, length), 0)).toBeUndefined();
    }
  });

  test('skippable frames have sixteen magic numbers', () => {
    for (let number = 0x50; number <= 0x5f; number += 1) {
      const bytes = Uint8Array.of(number, 0x2a, 0x4d, 0x18, 0xff, 0xff, 0xff, 0xff);
      expect(readFrameStart(bytes, 0)).toEqual({ kind: 'skippable', length: 8, contentLength: 2 ** 32 - 1 });
    }
  });

  test('other magic numbers and the reserved bit are unknown', () => {
    const others = [
      [0x60, 0x2a, 0x4d, 0x18],
      [0x27, 0xb5, 0x2f, 0xfd],
      [0x4f, 0x2a, 0x4d, 0x18],
      [...magic, 8],
    ];
    for (const bytes of others) expect(readFrameStart(Uint8Array.from(bytes), 0)).toBe('unknown');
  });
});

describe('cutting at frames', () => {
  const raw = (last: 0 | 1, ...bytes: number[]) => [last | (bytes.length << 3), 0, 0, ...bytes];
  const repeated = (last: 0 | 1, length: number, byte: number) => [
    last | 2 | ((length << 3) & 0xff),
    length >> 5,
    0,
    byte,
  ];
  const first = [...magic, 0x04, 0, ...raw(0, 1, 2), ...repeated(1, 300, 5), 11, 12, 13, 14];
  const skippable = [0x51, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 8, 8];
  const second = [...magic, 0x20, 1, ...raw(1, 7)];
  const stream = Uint8Array.from([...first, ...skippable, ...second, ...skippable]);

  function piecesOf(unit: 'frame' | 'block', piece: number): FramePiece[] {
    const splitter = createFrameSplitter({ windowLimit: 1024, unit, what: 'layer X' });
    const pieces: FramePiece[] = [];
    for (let at = 0; at < stream.length; at += piece)
      pieces.push(...splitter.split(stream.subarray(at, at + piece)));
    splitter.end();
    return pieces;
  }

  test('in one go, a piece is a frame', () => {
    const pieces = piecesOf('frame', stream.length);
    expect(pieces.map(({ bytes, closes }) => ({ bytes: [...bytes], closes }))).toEqual([
      { bytes: first, closes: true },
      { bytes: second, closes: true },
    ]);
    expect(pieces.map(({ opens }) => opens?.windowSize)).toEqual([1024, 1]);
  });

  test('in one go, a piece is a block, with the header before or the checksum behind it', () => {
    expect(piecesOf('block', stream.length).map(({ bytes }) => bytes.length)).toEqual([
      11,
      first.length - 11,
      second.length,
    ]);
  });

  test.each([1, 2, 3, 5, 8, 13])('cut in %i bytes, no byte is lost and none is of two frames', (piece) => {
    for (const unit of ['frame', 'block'] as const) {
      const frames: number[][] = [];
      let open = false;
      for (const { bytes, opens, closes } of piecesOf(unit, piece)) {
        expect(opens !== undefined).toBe(!open);
        if (opens !== undefined) frames.push([]);
        frames.at(-1)?.push(...bytes);
        open = !closes;
      }
      expect(frames).toEqual([first, second]);
    }
  });

  test.each([
    ['a dictionary', [...magic, 0x21, 7, 0, ...raw(1)], 'dictionary'],
    ['a reserved block', [...magic, 0x20, 0, 7, 0, 0], 'a kind that there is not'],
    ['a block beyond 128 KiB', [...magic, 0x00, 0, 3, 0xff, 0xff, 9], 'a kind that there is not'],
    ['a window beyond the limit', [...magic, 0x00, 1 << 3, ...raw(1)], 'window of 2048 bytes; at most 1024'],
  ])('%s is refused before a decoder sees it', (_name, bytes, message) => {
    const splitter = createFrameSplitter({ windowLimit: 1024, unit: 'frame', what: 'layer X' });
    expect(() => [...splitter.split(Uint8Array.from(bytes))]).toThrow(message);
  });
});
