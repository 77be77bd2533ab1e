import { ConversionError, type Dialect, excerpt } from '../errors.ts';
import { limits } from '../limits.ts';
import type { TextSpan } from './document.ts';

const literals = [
  ['true', 'boolean'],
  ['false', 'boolean'],
  ['null', 'null'],
] as const;

const codes = { quote: 0x22, backslash: 0x5c, u: 0x75, lineFeed: 0x0a } as const;

/** Characters after an escape that are read in a loop; the pattern reads the rest of a longer run. */
const shortRun = 32;

/** The characters of the escapes of two characters (RFC 8259, section 7), by their codes. */
const isShortEscape = Array.from({ length: 0x80 }, (_, code) =>
  '"\\/bfnrt'.includes(String.fromCharCode(code)),
);

function isHexDigit(code: number): boolean {
  const letter = code | 0x20;
  return (code >= 0x30 && code <= 0x39) || (letter >= 0x61 && letter <= 0x66);
}

/** The content read so far, for a document with documents inside its strings. */
export interface JsonCount {
  values: number;
  /** Escapes in keys and strings. */
  escapes: number;
}

/** A document, for messages. */
export interface ScannedDocument {
  /** A noun for it, such as "manifest" or "config". */
  readonly what: string;
  readonly dialect?: Dialect | undefined;
}

/** The error for a document that has more of something than is read. */
export function limitError(
  { what, dialect }: ScannedDocument,
  fault: string,
  most: number | string,
): ConversionError {
  const expected = `at most ${most}`;
  return new ConversionError({ code: 'LIMIT', message: `The ${what} ${fault}`, dialect, expected });
}

/** Scans JSON text token by token, strictly by RFC 8259. An error states the line and column. */
export class JsonScanner {
  readonly text: string;
  position = 0;
  readonly #document: ScannedDocument;
  readonly #count: JsonCount;
  /** Sticky patterns do the scanning: the loop of the engine is several times faster than a loop in JavaScript. */
  readonly #space = /[ \t\n\r]*/y;
  readonly #number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: RFC 8259 §7 forbids them unescaped
  readonly #plain = /[^"\\\u0000-\u001f]*/y;

  constructor(text: string, document: ScannedDocument, count: JsonCount) {
    this.text = text;
    this.#document = document;
    this.#count = count;
  }

  /** The next character, or "" at the end. */
  get next(): string {
    return this.text[this.position] ?? '';
  }

  /** Moves past white space. */
  skipSpace(): void {
    if (this.text.charCodeAt(this.position) <= 0x20) this.#match(this.#space);
  }

  /** Moves past the character if it is next. @returns whether it was. */
  take(character: string): boolean {
    if (this.text[this.position] !== character) return false;
    this.position += 1;
    return true;
  }

  /** Moves past the character. @throws ConversionError UNREADABLE when another character is next. */
  expect(character: string, expected: string): void {
    if (!this.take(character)) this.fail(expected);
  }

  /** Moves past a string literal. @returns its span, including both quotes. */
  string(): TextSpan {
    const { text, position: start } = this;
    this.position += 1;
    this.#match(this.#plain);
    // Most escapes stand close to the next one, where a loop takes a fraction of the time of a pattern for each.
    let plainFrom = this.position;
    for (let at = plainFrom; ; ) {
      const code = text.charCodeAt(at);
      if (code === codes.quote) {
        this.position = at + 1;
        return { start, end: at + 1 };
      }
      if (code === codes.backslash) {
        this.#count.escapes += 1;
        if (this.#count.escapes > limits.jsonEscapes)
          this.tooMuch('has too many escapes', limits.jsonEscapes);
        at += this.#escapeLength(at);
        plainFrom = at;
      } else if (code >= 0x20) {
        at += 1;
        if (at - plainFrom === shortRun) at = plainFrom = this.#endOfPlain(at);
      } else this.#failAt(at, 'a closing double quote, and control characters escaped');
    }
  }

  /** The offset of the first character from `at` on that ends a string, begins an escape, or is refused. */
  #endOfPlain(at: number): number {
    this.position = at;
    this.#match(this.#plain);
    return this.position;
  }

  /** The length of the escape at an offset. */
  #escapeLength(start: number): number {
    const { text } = this;
    const next = text.charCodeAt(start + 1);
    if (next === codes.u) {
      for (let at = start + 2; at < start + 6; at += 1) {
        if (!isHexDigit(text.charCodeAt(at))) this.#failAt(start, 'four hex digits after \\u');
      }
      return 6;
    }
    if (!isShortEscape[next]) this.#failAt(start, 'a known escape after the backslash');
    return 2;
  }

  /** Moves past a literal or number. @returns its kind. */
  scalar(): 'boolean' | 'null' | 'number' {
    for (const [word, kind] of literals) {
      if (!this.text.startsWith(word, this.position)) continue;
      this.position += word.length;
      return kind;
    }
    if (!this.#match(this.#number)) this.fail('a JSON value');
    return 'number';
  }

  /** Moves past a match of a sticky pattern. @returns false if the match is empty or missing. */
  #match(pattern: RegExp): boolean {
    pattern.lastIndex = this.position;
    if (!pattern.test(this.text)) return false;
    const moved = pattern.lastIndex > this.position;
    this.position = pattern.lastIndex;
    return moved;
  }

  /** The position as people count it. */
  #place(): { line: number; column: number } {
    const { text, position } = this;
    let line = 1;
    for (let at = 0; at < position; at += 1) if (text.charCodeAt(at) === codes.lineFeed) line += 1;
    const start = position === 0 ? 0 : text.lastIndexOf('\n', position - 1) + 1;
    return { line, column: position - start + 1 };
  }

  #failAt(position: number, expected: string): never {
    this.position = position;
    this.fail(expected);
  }

  /** @throws ConversionError LIMIT. */
  tooMuch(fault: string, most: number | string): never {
    throw limitError(this.#document, fault, most);
  }

  /** @throws ConversionError UNREADABLE with line and column. */
  fail(expected: string): never {
    const { line, column } = this.#place();
    const rest = this.text.slice(this.position, this.position + 20);
    throw new ConversionError({
      code: 'UNREADABLE',
      message: `The ${this.#document.what} is not JSON: line ${line}, column ${column}`,
      dialect: this.#document.dialect,
      found: rest === '' ? 'the end of the document' : excerpt(rest),
      expected,
    });
  }
}
