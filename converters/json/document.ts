/**
 * Parsed JSON with its text. Each value has its position in the text, so a writer can copy numbers, escapes, key order
 * and white space as written. `JSON.parse` loses all of these.
 */
export interface RawDocument {
  readonly text: string;
  readonly root: RawValue;
  /** Whether a key counts in any case, as Go's encoding/json reads it. */
  readonly anyCase: boolean;
}

/** Offsets into a document's text, end exclusive. */
export interface TextSpan {
  readonly start: number;
  readonly end: number;
}

export interface RawObject extends TextSpan {
  readonly kind: 'object';
  /** Members in the order written; a key can repeat. */
  readonly members: readonly RawMember[];
}

export interface RawMember {
  /** The key after decoding its escapes. */
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

/** The text of a value as written. */
export function rawText(document: RawDocument, value: TextSpan): string {
  return document.text.slice(value.start, value.end);
}

/** The value of a member; for a repeated key, the last one. */
export function member(object: RawObject, key: string): RawValue | undefined {
  for (let index = object.members.length - 1; index >= 0; index -= 1) {
    const candidate = object.members[index];
    if (candidate?.key === key) return candidate.value;
  }
  return undefined;
}

/** Decodes a string literal. An escaped lone surrogate or an invalid byte becomes U+FFFD, as in Go. */
export function stringValue(document: RawDocument, value: TextSpan): string {
  return decodeLiteral(document.text, value);
}

/** Decodes a string literal of a text that the scanner has checked. @param literal the span including both quotes. */
export function decodeLiteral(text: string, literal: TextSpan): string {
  // toWellFormed comes first, because an invalid byte (a lone low surrogate) must not pair with an escaped high one.
  const inner = text.slice(literal.start + 1, literal.end - 1).toWellFormed();
  if (!inner.includes('\\')) return inner;
  return (JSON.parse(`"${inner}"`) as string).toWellFormed();
}

/** The text of a value without insignificant white space. Scalars and keys stay as written. */
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
