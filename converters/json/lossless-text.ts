import type { Bytes } from '../bytes.ts';
import { checkDocumentLength } from '../limits.ts';
import type { TakeTurn } from '../ports.ts';

/**
 * Conversion between bytes and text without loss. Each byte that is not valid UTF-8 becomes one lone low surrogate,
 * U+DC80 + (byte − 0x80), which valid UTF-8 never decodes to, and becomes the same byte again. Documents can thus be
 * edited as text and written back exactly, and `quote` can recognize invalid bytes.
 */

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/**
 * Decodes UTF-8; an invalid byte becomes a lone low surrogate.
 * @param mostInvalid the most invalid bytes.
 * @returns `undefined` for more of them.
 */
export function decodeText(bytes: Uint8Array): string;
export function decodeText(bytes: Uint8Array, mostInvalid: number): string | undefined;
export function decodeText(bytes: Uint8Array, mostInvalid = Number.POSITIVE_INFINITY): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return decodeTolerantly(bytes, mostInvalid);
  }
}

/** Decodes each invalid byte separately, as Go's `utf8.DecodeRune` does. WHATWG's decoder joins some of them. */
function decodeTolerantly(bytes: Uint8Array, mostInvalid: number): string | undefined {
  const parts: string[] = [];
  let [start, position, invalid] = [0, 0, 0];
  const endRun = () => {
    if (position > start) parts.push(strict.decode(bytes.subarray(start, position)));
  };
  while (position < bytes.length) {
    const width = sequenceLength(bytes, position);
    if (width === 0) {
      invalid += 1;
      if (invalid > mostInvalid) return undefined;
      endRun();
      parts.push(String.fromCharCode(0xdc00 + (bytes[position] ?? 0)));
      start = position + 1;
    }
    position += width || 1;
  }
  endRun();
  return parts.join('');
}

/** Length of the UTF-8 sequence at `at` in bytes, or 0 if it is invalid (Unicode 15, table 3-7). */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at];
  if (lead === undefined) return 0;
  if (lead < 0x80) return 1;
  const second = bytes[at + 1] ?? 0;
  if (lead >= 0xc2 && lead <= 0xdf) return isContinuation(second) ? 2 : 0;
  const third = isContinuation(bytes[at + 2]);
  if (lead >= 0xe0 && lead <= 0xef) {
    const low = lead === 0xe0 ? 0xa0 : 0x80;
    const high = lead === 0xed ? 0x9f : 0xbf;
    return second >= low && second <= high && third ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const low = lead === 0xf0 ? 0x90 : 0x80;
    const high = lead === 0xf4 ? 0x8f : 0xbf;
    return second >= low && second <= high && third && isContinuation(bytes[at + 3]) ? 4 : 0;
  }
  return 0;
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

const replacement = [0xef, 0xbf, 0xbd];

/** The inverse of `decodeText`. Other lone surrogates become U+FFFD. */
export function encodeText(text: string): Bytes {
  // The types of Workers leave open what memory these bytes are in.
  if (text.isWellFormed()) return encoder.encode(text) as Bytes;
  const bytes = new Uint8Array(text.length * 3);
  let [start, length] = [0, 0];
  const endRun = (end: number) => {
    if (end > start) length += encoder.encodeInto(text.slice(start, end), bytes.subarray(length)).written;
    start = end + 1;
  };
  for (let position = 0; position < text.length; position += 1) {
    const unit = text.charCodeAt(position);
    if (unit < 0xd800 || unit > 0xdfff) continue;
    if (unit < 0xdc00 && (text.charCodeAt(position + 1) & 0xfc00) === 0xdc00) {
      position += 1;
      continue;
    }
    endRun(position);
    const written = unit >= 0xdc80 && unit <= 0xdcff ? [unit - 0xdc00] : replacement;
    bytes.set(written, length);
    length += written.length;
  }
  endRun(text.length);
  return bytes.slice(0, length);
}

/** Characters that Go writes in another way than JSON.stringify, and surrogates, which may be lone ones. */
const special = /[\b\f<>&\u2028\u2029\ud800-\udfff]/;

/**
 * Writes a JSON string literal as Go's encoding/json did until Go 1.21, with which distribution 2.x was built: HTML
 * characters escaped, `\u0008` and `\u000c` in the long form, invalid UTF-8 as `\ufffd`.
 * @throws ConversionError LIMIT when the literal is longer than a document may be.
 */
export function quote(text: string): string {
  if (!special.test(text) && text.length <= pieceLength) return JSON.stringify(text);
  return `"${[...quotedPieces(text)].join('')}"`;
}

/**
 * Writes a literal as `quote` does, in turns of the event loop.
 * @param turn waits for a turn to write some bytes. @throws ConversionError as `quote`.
 */
export async function quoteInTurns(text: string, turn: TakeTurn | undefined): Promise<string> {
  await turn?.(Math.min(text.length, pieceLength));
  if (text.length <= pieceLength) return quote(text);
  const pieces: string[] = [];
  for (const piece of quotedPieces(text)) {
    pieces.push(piece);
    await turn?.(piece.length);
  }
  return `"${pieces.join('')}"`;
}

/** Characters that are escaped at once. A piece takes less than 2 ms, even if all of them need the longest escape. */
const pieceLength = 65_536;

/** The content of a literal in parts. @throws ConversionError LIMIT after the part that is too much for a document. */
function* quotedPieces(text: string): Generator<string> {
  let length = 2;
  for (let start = 0; start < text.length; ) {
    const end = pieceEnd(text, start);
    const piece = escapePiece(text.slice(start, end));
    length += piece.length;
    checkDocumentLength(length, 'text of the image, with its escapes,');
    yield piece;
    start = end;
  }
}

/** The end of the piece that begins at `start`. A surrogate pair stays in one piece. */
function pieceEnd(text: string, start: number): number {
  const end = start + pieceLength;
  if (end >= text.length) return text.length;
  return (text.charCodeAt(end - 1) & 0xfc00) === 0xd800 ? end + 1 : end;
}

function escapePiece(text: string): string {
  // JSON.stringify is several times faster.
  if (!/[\b\f]/.test(text) && text.isWellFormed()) return escapeHtml(JSON.stringify(text).slice(1, -1));
  return escapeHtml(escapeAll(text));
}

const lone = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const controls = Array.from({ length: 0x20 }, (_, code) => String.fromCharCode(code));
const shortEscapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * Escapes one character after the other in the whole text, backslashes first. A pass of the engine takes a fraction of
 * the time of a function that is called for each match.
 */
function escapeAll(text: string): string {
  const quoted = text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(lone, '\\ufffd');
  return controls.reduce(
    (escaped, character) =>
      escapeEach(escaped, character, shortEscapes[character] ?? unicodeEscape(character)),
    quoted,
  );
}

/** Escapes the characters that Go's encoder escapes in raw JSON (`json.RawMessage`). */
export function escapeHtml(json: string): string {
  if (!/[<>&\u2028\u2029]/.test(json)) return json;
  return ['<', '>', '&', '\u2028', '\u2029'].reduce(
    (escaped, character) => escapeEach(escaped, character, unicodeEscape(character)),
    json,
  );
}

/** @param character one that means itself in a pattern. @param escaped text without a dollar sign. */
function escapeEach(text: string, character: string, escaped: string): string {
  return text.includes(character) ? text.replace(new RegExp(character, 'g'), escaped) : text;
}

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
