import type { Random } from './random.ts';

/** Pieces that break readers: line ends, quotes, lone surrogates, large numbers, ways out of a path. */
const pieces = [
  ...[
    '"',
    "'",
    '\\',
    '\\"',
    ',',
    ';',
    '=',
    ':',
    '/',
    '//',
    '..',
    '/../',
    '?',
    '#',
    '@',
    '%',
    '%2e',
    '%2F',
    '%00',
    '$',
  ],
  ...[
    '<',
    '>',
    '[',
    ']',
    '{',
    '}',
    '(',
    ')',
    '*',
    '-',
    '_',
    '.',
    '+',
    ' ',
    '  ',
    '\t',
    '\r\n',
    '\n',
    '\0',
    '\u001b',
  ],
  ...[
    '\u007f',
    'é',
    '\u2028',
    '\ud800',
    '\udc00',
    '𝒳',
    'İ',
    'ſ',
    'K',
    '\ufeff',
    '0',
    '-1',
    '1e9',
    '9'.repeat(25),
  ],
  ...[
    'null',
    'true',
    '__proto__',
    'constructor',
    'toString',
    'sha256:',
    'sha512:',
    'application/',
    'q=',
    'bytes=',
  ],
];

/** Makes a text that may break a reader out of texts that do not. */
export function generateText(random: Random, seeds: readonly string[]): string {
  let text = random.oneIn(20) ? '' : random.one(seeds);
  for (let count = random.below(5); count > 0; count -= 1) text = changed(random, seeds, text);
  return text;
}

/** Encodes a text for a file; the bytes keep lone surrogates. */
export function encodeUtf16(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'utf16le'));
}

export function decodeUtf16(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf16le');
}

function changed(random: Random, seeds: readonly string[], text: string): string {
  const at = random.below(text.length + 1);
  const to = Math.min(text.length, at + random.below(12));
  switch (random.below(7)) {
    case 0:
      return text.slice(0, at) + text.slice(to);
    case 1:
      return text.slice(0, to) + text.slice(at);
    case 2: {
      const other = random.one(seeds);
      const start = random.below(other.length + 1);
      return text.slice(0, at) + other.slice(start, start + random.below(40)) + text.slice(at);
    }
    case 3:
      return (
        text.slice(0, at) + String.fromCharCode(random.below(random.oneIn(2) ? 128 : 65_536)) + text.slice(to)
      );
    case 4:
      // Some texts are long, so that a reader of more than linear time shows.
      return random.oneIn(50)
        ? text.slice(0, at) + random.one(pieces).repeat(20_000) + text.slice(at)
        : text.toUpperCase();
    default:
      return text.slice(0, at) + random.one(pieces) + text.slice(random.oneIn(2) ? at : to);
  }
}
