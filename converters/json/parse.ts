import { ConversionError, type Dialect, excerpt } from '../errors.ts';
import { limits } from '../limits.ts';
import { decodeLiteral, type RawDocument, type RawMember, type RawValue } from './document.ts';
import { decodeText } from './lossless-text.ts';
import { type JsonCount, JsonScanner, limitError } from './scanner.ts';

export interface ParseOptions {
  readonly dialect?: Dialect | undefined;
  /** A noun for the document in messages, such as "manifest" or "config". */
  readonly what: string;
  /**
   * The meaning of keys in one object. Manifests need `distinct`, which refuses a repeated key, because two programs could
   * see two images. Configs need `as Go`: a key counts in any case, and of several the last one (`optional`).
   */
  readonly keys: 'distinct' | 'as Go';
  /** The content read so far in all documents that share this counter. Without it, the document is counted alone. */
  readonly count?: JsonCount;
}

/**
 * Parses JSON strictly (RFC 8259), and records the position of each value.
 * @throws ConversionError UNREADABLE with line and column, LIMIT beyond `limits.jsonDepth`, `limits.jsonValues`,
 * `limits.jsonEscapes` or `limits.invalidBytes`, or AMBIGUOUS for repeated keys.
 */
export function parseJson(bytes: Uint8Array, options: ParseOptions): RawDocument {
  const text = decodeText(bytes, limits.invalidBytes);
  if (text === undefined)
    throw limitError(options, 'has too many bytes that are not UTF-8', limits.invalidBytes);
  return parseJsonText(text, options);
}

/** Parses JSON as `parseJson` does. @param text from bytes, or the value of a string of a document. */
export function parseJsonText(text: string, options: ParseOptions): RawDocument {
  return { text, root: new Parser(text, options).parse(), anyCase: options.keys === 'as Go' };
}

class Parser {
  readonly #scanner: JsonScanner;
  readonly #options: ParseOptions;
  readonly #count: JsonCount;
  #depth = 0;

  constructor(text: string, options: ParseOptions) {
    this.#options = options;
    this.#count = options.count ?? { values: 0, escapes: 0 };
    this.#scanner = new JsonScanner(text, options, this.#count);
  }

  parse(): RawValue {
    const scanner = this.#scanner;
    scanner.skipSpace();
    const root = this.#value();
    scanner.skipSpace();
    if (scanner.next !== '') scanner.fail('the end of the document');
    return root;
  }

  #value(): RawValue {
    this.#count.values += 1;
    if (this.#count.values > limits.jsonValues) {
      this.#scanner.tooMuch('has too many values', limits.jsonValues);
    }
    const scanner = this.#scanner;
    const start = scanner.position;
    switch (scanner.next) {
      case '{': {
        const members = this.#list('}', () => this.#member());
        if (this.#options.keys === 'distinct') this.#checkKeys(members);
        return { kind: 'object', start, end: scanner.position, members };
      }
      case '[': {
        const items = this.#list(']', () => this.#value());
        return { kind: 'array', start, end: scanner.position, items };
      }
      case '"':
        scanner.string();
        return { kind: 'string', start, end: scanner.position };
      default:
        return { kind: scanner.scalar(), start, end: scanner.position };
    }
  }

  /** Reads a list in brackets with commas, including both brackets. */
  #list<T>(closing: '}' | ']', read: () => T): T[] {
    this.#depth += 1;
    if (this.#depth > limits.jsonDepth) {
      this.#scanner.tooMuch('is nested too deeply', `${limits.jsonDepth} levels`);
    }
    const scanner = this.#scanner;
    const list: T[] = [];
    scanner.position += 1;
    scanner.skipSpace();
    if (!scanner.take(closing)) {
      do {
        scanner.skipSpace();
        list.push(read());
        scanner.skipSpace();
      } while (scanner.take(','));
      scanner.expect(closing, `"," or "${closing}"`);
    }
    this.#depth -= 1;
    return list;
  }

  #member(): RawMember {
    const scanner = this.#scanner;
    if (scanner.next !== '"') scanner.fail('a key in double quotes');
    const keySpan = scanner.string();
    const key = decodeLiteral(scanner.text, keySpan);
    scanner.skipSpace();
    scanner.expect(':', '":"');
    scanner.skipSpace();
    return { key, keySpan, value: this.#value() };
  }

  #checkKeys(members: readonly RawMember[]): void {
    const seen = new Set<string>();
    for (const { key } of members) {
      if (seen.has(key)) this.#repeated(key);
      seen.add(key);
    }
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
