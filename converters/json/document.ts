/**
 * JSON that keeps what it read: every value knows where in the text it stands, so that numbers, escapes, key
 * order and white space can be given back as they were written. `JSON.parse` loses all of these.
 */
export interface RawDocument {
  readonly text: string;
  readonly root: RawValue;
}

/** Offsets into a document's text, end exclusive. */
export interface TextSpan {
  readonly start: number;
  readonly end: number;
}

export interface RawObject extends TextSpan {
  readonly kind: 'object';
  /** In the order written; keys may repeat. */
  readonly members: readonly RawMember[];
}

export interface RawMember {
  /** The key, decoded. */
  readonly key: string;
  readonly keySpan: TextSpan;
  readonly value: RawValue;
}

export interface RawArray extends TextSpan {
  readonly kind: 'array';
  readonly items: readonly RawValue[];
}

export interface RawScalar extends TextSpan {
  readonly kind: 'string' | 'number' | 'boolean' | 'null';
}

export type RawValue = RawObject | RawArray | RawScalar;

export function rawText(document: RawDocument, value: TextSpan): string {
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
export function stringValue(document: RawDocument, value: TextSpan): string {
  return decodeLiteral(document.text, value);
}

/** @param literal from quote to quote. */
export function decodeLiteral(text: string, literal: TextSpan): string {
  // Made well-formed first: an invalid byte (a lone low surrogate) must not pair with an escaped high one.
  const inner = text.slice(literal.start + 1, literal.end - 1).toWellFormed();
  if (!inner.includes('\\')) return inner;
  return inner.replace(escapes, decodeEscape).toWellFormed();
}

const escapes = /\\(?:u([0-9a-fA-F]{4})|(.))/g;

const shortEscapes: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

function decodeEscape(_: string, hex: string | undefined, short: string): string {
  return hex === undefined ? (shortEscapes[short] ?? short) : String.fromCharCode(Number.parseInt(hex, 16));
}

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
