import { expect, it } from 'vitest';
import { decodeText, encodeText } from '../../converters/json/lossless-text.ts';

const utf8 = (text: string) => [...new TextEncoder().encode(text)];
const escaped = (bytes: readonly number[]) =>
  bytes.map((byte) => String.fromCharCode(0xdc00 + byte)).join('');

// The bounds of Unicode 15, table 3-7. Each text stands behind a byte that is no UTF-8, or it would take the short way.
const valid = [
  '\u0080',
  '\u07ff',
  '\u0800',
  '\u0fff',
  '\ud7ff',
  '\ue000',
  '\uffff',
  '\u{10000}',
  '\u{3ffff}',
  '\u{10ffff}',
];

it.each(valid)('the text %j is read beside a byte that is no UTF-8', (text) => {
  const bytes = Uint8Array.of(0x41, 0xff, 0x41, ...utf8(text), 0x41);
  expect(decodeText(bytes)).toBe(`A${escaped([0xff])}A${text}A`);
  expect(encodeText(decodeText(bytes))).toEqual(bytes);
});

it.each([
  ['a lead byte alone', [0xc3]],
  ['no lead byte', [0x80, 0x80, 0x80, 0x80]],
  ['an overlong form of two bytes', [0xc1, 0xbf]],
  ['an overlong form of three bytes', [0xe0, 0x9f, 0xbf]],
  ['an overlong form of four bytes', [0xf0, 0x8f, 0xbf, 0xbf]],
  ['a surrogate', [0xed, 0xa0, 0x80]],
  ['a number above all code points', [0xf4, 0x90, 0x80, 0x80]],
  ['a lead byte of no sequence', [0xf5, 0x80, 0x80, 0x80]],
  ['a sequence that is cut short', [0xf0, 0x90, 0x80]],
  ['a wrong second byte', [0xc3, 0x41]],
  ['a wrong third byte', [0xe1, 0x80, 0x41]],
  ['a wrong fourth byte', [0xf1, 0x80, 0x80, 0x41]],
])('%s is read byte by byte', (_, bytes) => {
  const text = bytes.map((byte) => (byte < 0x80 ? String.fromCharCode(byte) : escaped([byte]))).join('');
  expect(decodeText(Uint8Array.from(bytes))).toBe(text);
  expect(encodeText(text)).toEqual(Uint8Array.from(bytes));
});

it('a text with more invalid bytes than are allowed is not read', () => {
  const bytes = Uint8Array.of(0xff, 0x41, 0xff);
  expect([decodeText(bytes, 2), decodeText(bytes, 1)]).toEqual([
    `${escaped([0xff])}A${escaped([0xff])}`,
    undefined,
  ]);
});

it('a byte order mark is part of the text', () => {
  expect(decodeText(Uint8Array.from(utf8('\ufeff{}')))).toBe('\ufeff{}');
});

it('a surrogate that stands for no byte becomes U+FFFD', () => {
  expect([...encodeText('a\ud800b\udcffc\udd00')]).toEqual([...utf8('a\ufffdb'), 0xff, ...utf8('c\ufffd')]);
  expect([...encodeText('\udfff\udc00\udc80')]).toEqual([...utf8('\ufffd\ufffd'), 0x80]);
});
