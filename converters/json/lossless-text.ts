/**
 * Conversion between bytes and text without loss. Each byte that is not valid UTF-8 becomes one lone low surrogate,
 * U+DC80 + (byte − 0x80), which valid UTF-8 never decodes to, and becomes the same byte again. Documents can thus be
 * edited as text and written back exactly, and `quote` can recognize invalid bytes.
 */

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** Decodes UTF-8; an invalid byte becomes a lone low surrogate. */
export function decodeText(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    return decodeTolerantly(bytes);
  }
}

/** Decodes each invalid byte separately, as Go's `utf8.DecodeRune` does. WHATWG's decoder joins some of them. */
function decodeTolerantly(bytes: Uint8Array): string {
  const units = new Uint16Array(bytes.length);
  let length = 0;
  for (let position = 0; position < bytes.length; ) {
    const width = sequenceLength(bytes, position);
    const point = width === 0 ? 0xdc00 + (bytes[position] ?? 0) : codePoint(bytes, position, width);
    if (point > 0xffff) {
      units[length++] = 0xd800 + ((point - 0x10000) >> 10);
      units[length++] = 0xdc00 + ((point - 0x10000) & 0x3ff);
    } else {
      units[length++] = point;
    }
    position += width || 1;
  }
  return fromUnits(units.subarray(0, length));
}

function codePoint(bytes: Uint8Array, at: number, width: number): number {
  const lead = bytes[at] ?? 0;
  if (width === 1) return lead;
  let point = lead & (0x7f >> width);
  for (let index = 1; index < width; index += 1) point = (point << 6) | ((bytes[at + index] ?? 0) & 0x3f);
  return point;
}

/** Converts units to a string in pieces, because engines limit a call to some ten thousand arguments. */
function fromUnits(units: Uint16Array): string {
  const parts: string[] = [];
  for (let start = 0; start < units.length; start += 4096) {
    parts.push(String.fromCharCode(...units.subarray(start, start + 4096)));
  }
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

/** The inverse of `decodeText`. Other lone surrogates become U+FFFD. */
export function encodeText(text: string): Uint8Array {
  if (text.isWellFormed()) return encoder.encode(text);
  const bytes = new Uint8Array(text.length * 3);
  let length = 0;
  for (const character of text) {
    const code = character.charCodeAt(0);
    if (character.length === 1 && code >= 0xdc80 && code <= 0xdcff) bytes[length++] = code - 0xdc00;
    else if (code < 0x80) bytes[length++] = code;
    else length += encoder.encodeInto(character, bytes.subarray(length)).written;
  }
  return bytes.slice(0, length);
}

const escapable =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must be escaped
  /["\\<>&\u2028\u2029\u0000-\u001f]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
/** Printable ASCII without characters to escape, such as digests, ids and times. */
const plain = /^[ !#-%'-;=?-[\]-~]*$/;
const shortEscapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

/**
 * Writes a JSON string literal as Go's encoding/json did until Go 1.21, with which distribution 2.x was built: HTML
 * characters escaped, `\u0008` and `\u000c` in the long form, invalid UTF-8 as `\ufffd`.
 */
export function quote(text: string): string {
  if (plain.test(text)) return `"${text}"`;
  // JSON.stringify is several times faster, and differs only in these characters.
  if (!/[\b\f]/.test(text) && text.isWellFormed()) return escapeHtml(JSON.stringify(text));
  return `"${text.replace(escapable, escapeOne)}"`;
}

function escapeOne(character: string): string {
  const short = shortEscapes[character];
  if (short !== undefined) return short;
  const code = character.charCodeAt(0);
  return code >= 0xd800 && code <= 0xdfff ? '\\ufffd' : unicodeEscape(code);
}

function unicodeEscape(code: number): string {
  return `\\u${code.toString(16).padStart(4, '0')}`;
}

/** Escapes the characters that Go's encoder escapes in raw JSON (`json.RawMessage`). */
export function escapeHtml(json: string): string {
  return json.replace(/[<>&\u2028\u2029]/g, htmlEscape);
}

const htmlEscapes: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};

function htmlEscape(character: string): string {
  return htmlEscapes[character] ?? character;
}
