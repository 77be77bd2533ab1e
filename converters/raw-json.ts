import { ConversionError, type Dialect, excerpt } from './errors.ts';
import { decodeText } from './raw-text.ts';

/**
 * JSON that keeps what it read: every value knows where in the text it stands, so that numbers, escapes, key
 * order and white space can be given back as they were written. `JSON.parse` loses all of these.
 */
export interface RawDocument {
  readonly text: string;
  readonly root: RawValue;
}

interface Span {
  /** Offsets into the document's text, end exclusive. */
  readonly start: number;
  readonly end: number;
}

export interface RawObject extends Span {
  readonly kind: 'object';
  /** In the order written; keys may repeat. */
  readonly members: readonly RawMember[];
}

export interface RawMember {
  /** The key, decoded. */
  readonly key: string;
  readonly keySpan: Span;
  readonly value: RawValue;
}

export interface RawArray extends Span {
  readonly kind: 'array';
  readonly items: readonly RawValue[];
}

export interface RawScalar extends Span {
  readonly kind: 'string' | 'number' | 'boolean' | 'null';
}

export type RawValue = RawObject | RawArray | RawScalar;

export interface ParseOptions {
  readonly dialect?: Dialect | undefined;
  /** What the document is, for messages: "manifest", "config". */
  readonly what: string;
  /**
   * `refuse` for manifests: a repeated key lets two programs see two images. `keep` for configs, where the last
   * one wins as in Go.
   */
  readonly duplicates: 'refuse' | 'keep';
}

const maximumDepth = 500;

/** @throws ConversionError UNREADABLE with line and column, LIMIT beyond 500 levels, AMBIGUOUS on repeated keys. */
export function parseJson(bytes: Uint8Array, options: ParseOptions): RawDocument {
  const text = decodeText(bytes);
  return { text, root: new Parser(text, options).parse() };
}

export function rawText(document: RawDocument, value: Span): string {
  return document.text.slice(value.start, value.end);
}

/** The member's value; of repeated keys the last. */
export function member(object: RawObject, key: string): RawValue | undefined {
  for (let index = object.members.length - 1; index >= 0; index -= 1) {
    const candidate = object.members[index];
    if (candidate?.key === key) return candidate.value;
  }
  return undefined;
}

/** The value of a string literal; an escaped lone surrogate or invalid byte becomes U+FFFD, as in Go. */
export function stringValue(document: RawDocument, value: RawValue): string {
  return decodeLiteral(document.text, value.start, value.end).toWellFormed();
}

function decodeLiteral(text: string, start: number, end: number): string {
  // Made well-formed first: an invalid byte (a lone low surrogate) must not pair with an escaped high one.
  const inner = text.slice(start + 1, end - 1).toWellFormed();
  if (!inner.includes('\\')) return inner;
  return inner.replace(/\\(?:u([0-9a-fA-F]{4})|(.))/g, (_, hex: string | undefined, short: string) =>
    hex === undefined ? (shortEscapes[short] ?? short) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

const shortEscapes: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/** The value without insignificant white space, every scalar and key as it was written. */
export function compact(document: RawDocument, value: RawValue): string {
  switch (value.kind) {
    case 'object': {
      const members = value.members.map(
        (each) => `${rawText(document, each.keySpan)}:${compact(document, each.value)}`,
      );
      return `{${members.join(',')}}`;
    }
    case 'array':
      return `[${value.items.map((each) => compact(document, each)).join(',')}]`;
    default:
      return rawText(document, value);
  }
}

const literals = [
  ['true', 'boolean'],
  ['false', 'boolean'],
  ['null', 'null'],
] as const;

/** RFC 8259, to the letter. */
class Parser {
  readonly #text: string;
  readonly #options: ParseOptions;
  #position = 0;
  #depth = 0;
  /** Sticky patterns do the scanning: the engine's own loop is several times faster than one written here. */
  readonly #space = /[ \t\n\r]*/y;
  readonly #number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: RFC 8259 §7 forbids them unescaped
  readonly #plain = /[^"\\\u0000-\u001f]*/y;

  constructor(text: string, options: ParseOptions) {
    this.#text = text;
    this.#options = options;
  }

  parse(): RawValue {
    this.#skipSpace();
    const root = this.#value();
    this.#skipSpace();
    if (this.#position < this.#text.length) this.#fail('the end of the document');
    return root;
  }

  #value(): RawValue {
    const character = this.#text[this.#position];
    if (character === '{') return this.#nested(() => this.#object());
    if (character === '[') return this.#nested(() => this.#array());
    if (character === '"') return { kind: 'string', ...this.#string() };
    return this.#scalar();
  }

  #nested<T>(read: () => T): T {
    this.#depth += 1;
    if (this.#depth > maximumDepth) {
      throw new ConversionError({
        code: 'LIMIT',
        message: `The ${this.#options.what} is nested too deeply`,
        dialect: this.#options.dialect,
        expected: `at most ${maximumDepth} levels`,
      });
    }
    const value = read();
    this.#depth -= 1;
    return value;
  }

  #object(): RawObject {
    const start = this.#position;
    const members: RawMember[] = [];
    const seen = this.#options.duplicates === 'refuse' ? new Set<string>() : undefined;
    this.#position += 1;
    this.#skipSpace();
    while (!this.#take('}')) {
      if (members.length > 0) {
        this.#expect(',');
        this.#skipSpace();
      }
      const read = this.#member();
      if (seen?.has(read.key)) this.#repeated(read.key);
      seen?.add(read.key);
      members.push(read);
      this.#skipSpace();
    }
    return { kind: 'object', start, end: this.#position, members };
  }

  #member(): RawMember {
    if (this.#text[this.#position] !== '"') this.#fail('a key in double quotes');
    const keySpan = this.#string();
    const key = decodeLiteral(this.#text, keySpan.start, keySpan.end).toWellFormed();
    this.#skipSpace();
    this.#expect(':');
    this.#skipSpace();
    return { key, keySpan, value: this.#value() };
  }

  #array(): RawArray {
    const start = this.#position;
    const items: RawValue[] = [];
    this.#position += 1;
    this.#skipSpace();
    while (!this.#take(']')) {
      if (items.length > 0) {
        this.#expect(',');
        this.#skipSpace();
      }
      items.push(this.#value());
      this.#skipSpace();
    }
    return { kind: 'array', start, end: this.#position, items };
  }

  #string(): Span {
    const start = this.#position;
    this.#position += 1;
    for (;;) {
      this.#match(this.#plain);
      const character = this.#text[this.#position];
      if (character === '"') {
        this.#position += 1;
        return { start, end: this.#position };
      }
      if (character !== '\\') this.#fail('a closing double quote, and control characters escaped');
      this.#escape();
    }
  }

  #escape(): void {
    const next = this.#text[this.#position + 1] ?? '';
    if (next === 'u') {
      if (!/^[0-9a-fA-F]{4}$/.test(this.#text.slice(this.#position + 2, this.#position + 6))) {
        this.#fail('four hex digits after \\u');
      }
      this.#position += 6;
    } else if (next !== '' && '"\\/bfnrt'.includes(next)) {
      this.#position += 2;
    } else {
      this.#fail('a known escape after the backslash');
    }
  }

  #scalar(): RawScalar {
    const start = this.#position;
    for (const [word, kind] of literals) {
      if (this.#text.startsWith(word, start)) {
        this.#position += word.length;
        return { kind, start, end: this.#position };
      }
    }
    if (!this.#match(this.#number)) this.#fail('a JSON value');
    return { kind: 'number', start, end: this.#position };
  }

  /** Moves past a sticky pattern; false when it matched nothing. */
  #match(pattern: RegExp): boolean {
    pattern.lastIndex = this.#position;
    if (!pattern.test(this.#text)) return false;
    const moved = pattern.lastIndex > this.#position;
    this.#position = pattern.lastIndex;
    return moved;
  }

  #skipSpace(): void {
    if (this.#text.charCodeAt(this.#position) <= 0x20) this.#match(this.#space);
  }

  #take(character: string): boolean {
    if (this.#text[this.#position] !== character) return false;
    this.#position += 1;
    return true;
  }

  #expect(character: string): void {
    if (!this.#take(character)) this.#fail(`"${character}"`);
  }

  #fail(expected: string): never {
    const before = this.#text.slice(0, this.#position).split('\n');
    const column = (before.at(-1)?.length ?? 0) + 1;
    const rest = this.#text.slice(this.#position, this.#position + 20);
    throw new ConversionError({
      code: 'UNREADABLE',
      message: `The ${this.#options.what} is not JSON: line ${before.length}, column ${column}`,
      dialect: this.#options.dialect,
      found: rest === '' ? 'the end of the document' : excerpt(rest),
      expected,
    });
  }

  #repeated(key: string): never {
    throw new ConversionError({
      code: 'AMBIGUOUS',
      message: `The ${this.#options.what} has the key ${excerpt(key)} twice in one object, so two programs can read two things`,
      dialect: this.#options.dialect,
      expected: 'every key once',
    });
  }
}
