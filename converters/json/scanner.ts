import { ConversionError, type Dialect, excerpt } from '../errors.ts';
import type { TextSpan } from './document.ts';

const literals = [
  ['true', 'boolean'],
  ['false', 'boolean'],
  ['null', 'null'],
] as const;

/** Scans JSON text token by token, strictly by RFC 8259. An error states the line and column. */
export class JsonScanner {
  readonly text: string;
  position = 0;
  readonly #what: string;
  readonly #dialect: Dialect | undefined;
  /** Sticky patterns do the scanning: the loop of the engine is several times faster than a loop in JavaScript. */
  readonly #space = /[ \t\n\r]*/y;
  readonly #number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: RFC 8259 §7 forbids them unescaped
  readonly #plain = /[^"\\\u0000-\u001f]*/y;

  /** @param what a noun for the document in messages. */
  constructor(text: string, what: string, dialect: Dialect | undefined) {
    this.text = text;
    this.#what = what;
    this.#dialect = dialect;
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
    const start = this.position;
    this.position += 1;
    for (;;) {
      this.#match(this.#plain);
      const character = this.next;
      if (character === '"') {
        this.position += 1;
        return { start, end: this.position };
      }
      if (character !== '\\') this.fail('a closing double quote, and control characters escaped');
      this.#escape();
    }
  }

  #escape(): void {
    const next = this.text[this.position + 1] ?? '';
    if (next === 'u') {
      if (!/^[0-9a-fA-F]{4}$/.test(this.text.slice(this.position + 2, this.position + 6))) {
        this.fail('four hex digits after \\u');
      }
      this.position += 6;
    } else if (next !== '' && '"\\/bfnrt'.includes(next)) {
      this.position += 2;
    } else {
      this.fail('a known escape after the backslash');
    }
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

  /** @throws ConversionError UNREADABLE with line and column. */
  fail(expected: string): never {
    const before = this.text.slice(0, this.position).split('\n');
    const column = (before.at(-1)?.length ?? 0) + 1;
    const rest = this.text.slice(this.position, this.position + 20);
    throw new ConversionError({
      code: 'UNREADABLE',
      message: `The ${this.#what} is not JSON: line ${before.length}, column ${column}`,
      dialect: this.#dialect,
      found: rest === '' ? 'the end of the document' : excerpt(rest),
      expected,
    });
  }
}
