import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConversionError } from '../../converters/errors.ts';
import {
  compact,
  type RawDocument,
  type RawValue,
  rawText,
  stringValue,
} from '../../converters/json/document.ts';
import { decodeText, encodeText } from '../../converters/json/lossless-text.ts';
import { parseJson } from '../../converters/json/parse.ts';

const strict = { what: 'document', keys: 'distinct' } as const;
const encoder = new TextEncoder();
const parse = (text: string) => parseJson(encoder.encode(text), strict);

/** The value of a parsed document, with objects as maps. */
function meaning(document: RawDocument, value: RawValue): unknown {
  switch (value.kind) {
    case 'object':
      return new Map(value.members.map((each) => [each.key, meaning(document, each.value)]));
    case 'array':
      return value.items.map((each) => meaning(document, each));
    case 'string':
      return stringValue(document, value);
    default:
      return JSON.parse(rawText(document, value));
  }
}

/** The same for a value of JSON.parse. */
function asMaps(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed();
  if (Array.isArray(value)) return value.map(asMaps);
  if (typeof value !== 'object' || value === null) return value;
  return new Map(Object.entries(value).map(([key, each]) => [key.toWellFormed(), asMaps(each)]));
}

const layout = fc.record({ indent: fc.constantFrom('', ' ', '   ', '\t'), crlf: fc.boolean() });
const laidOut = fc
  .tuple(fc.jsonValue({ maxDepth: 6, stringUnit: 'binary' }), layout)
  .map(([value, { indent, crlf }]) => {
    const text = JSON.stringify(value, null, indent);
    return { value: JSON.parse(text) as unknown, text: crlf ? text.replaceAll('\n', '\r\n') : text };
  });

describe('parseJson', () => {
  it('reads the same value as JSON.parse, and keeps the text', () => {
    fc.assert(
      fc.property(laidOut, ({ value, text }) => {
        const document = parse(text);
        expect(meaning(document, document.root)).toEqual(asMaps(value));
        expect(decodeText(encodeText(document.text))).toBe(document.text);
        expect(JSON.parse(compact(document, document.root))).toEqual(value);
      }),
      { numRuns: 500 },
    );
  });

  it('accepts and refuses the same texts as JSON.parse', () => {
    const fragments = [
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"\\u00e9"',
      '1',
      '-0.5e+3',
      '01',
      'true',
      'nul',
      ' ',
      '\n',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...fragments), { maxLength: 9 }), (parts) => {
        const text = parts.join('');
        expect(outcome(() => parseJson(encoder.encode(text), { ...strict, keys: 'as Go' }))).toBe(
          outcome(() => JSON.parse(text)),
        );
      }),
      { numRuns: 5_000 },
    );
  });

  it('keeps bytes that are not UTF-8', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(encodeText(decodeText(bytes))).toEqual(bytes);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['{"a":1,}', 'line 1, column 8', 'a key in double quotes'],
    ['{\n  "a": [1, 2,\n  ]\n}', 'line 3, column 3', 'a JSON value'],
    ['{"a" 1}', 'line 1, column 6', '":"'],
    ['{"a":1 "b":2}', 'line 1, column 8', '"," or "}"'],
    ['["a', 'line 1, column 4', 'a closing double quote, and control characters escaped'],
    ['"\\x"', 'line 1, column 2', 'a known escape after the backslash'],
    ['"\\u12"', 'line 1, column 2', 'four hex digits after \\u'],
    ['', 'line 1, column 1', 'a JSON value'],
    ['{} {}', 'line 1, column 4', 'the end of the document'],
    ['\ufeff{}', 'line 1, column 1', 'a JSON value'],
  ])('states the position where %j is not JSON', (text, where, expected) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'UNREADABLE', expected }));
    expect(() => parse(text)).toThrow(where);
  });

  it.each(['{"a":1,"a":1}', '{"x":{"a":1,"b":2,"\\u0061":3}}'])('refuses the repeated key of %s', (text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'AMBIGUOUS' }));
    expect(parseJson(encoder.encode(text), { ...strict, keys: 'as Go' }).text).toBe(text);
  });

  it.each([
    ['depth', `${'['.repeat(501)}${']'.repeat(501)}`],
    ['depth that is not closed', '[{"a":'.repeat(100_000)],
    ['values', `[${'0,'.repeat(20_000)}0]`],
    ['escapes', `["${'\\n'.repeat(200_000)}","${'\\u000a'.repeat(200_001)}"]`],
  ])('bounds the %s', (_, text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'LIMIT' }));
  });

  it('accepts a document at the limits', () => {
    expect(parse(`${'['.repeat(500)}${']'.repeat(500)}`).root.kind).toBe('array');
    expect(parse(`[${'0,'.repeat(19_998)}0]`).root.kind).toBe('array');
    expect(parse(`["${'\\n'.repeat(200_000)}","${'\\u000a'.repeat(200_000)}"]`).root.kind).toBe('array');
  });

  it('finds the end of a string, and the escapes in it, wherever they stand', () => {
    for (let before = 0; before < 70; before += 1) {
      for (const [written, meant] of [
        ['\\"', '"'],
        ['\\\\', '\\'],
        ['\\u0041', 'A'],
      ]) {
        const text = `["${'a'.repeat(5)}\\n${'b'.repeat(before)}${written}c","d"]`;
        const document = parse(text);
        const [first] = document.root.kind === 'array' ? document.root.items : [];
        expect(first && stringValue(document, first)).toBe(`aaaaa\n${'b'.repeat(before)}${meant}c`);
      }
    }
  });

  it('keeps 4 MiB of bytes that are not UTF-8', () => {
    const bytes = new Uint8Array(4 * 1024 * 1024).fill(0xff);
    expect(encodeText(decodeText(bytes)).every((byte) => byte === 0xff)).toBe(true);
  });

  it('reads 10,000 bytes that are not UTF-8, and refuses more of them', () => {
    const quoted = (count: number) => {
      const bytes = new Uint8Array(4 * 1024 * 1024 - 2).fill(0x61).fill(0xff, 1, count + 1);
      bytes[0] = 0x22;
      bytes[bytes.length - 1] = 0x22;
      return bytes;
    };
    const bytes = quoted(10_000);
    const { text } = parseJson(bytes, strict);
    expect(encodeText(text).every((byte, index) => byte === bytes[index])).toBe(true);
    const refused = expect.objectContaining({ code: 'LIMIT', expected: 'at most 10000' });
    expect(() => parseJson(quoted(10_001), strict)).toThrow(refused);
  });
});

function outcome(read: () => unknown): 'taken' | 'refused' {
  try {
    read();
    return 'taken';
  } catch (error) {
    if (error instanceof ConversionError || error instanceof SyntaxError) return 'refused';
    throw error;
  }
}
