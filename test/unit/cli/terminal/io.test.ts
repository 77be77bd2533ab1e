import { expect, it } from 'vitest';
import { type Io, printJson, printLines, printNote } from '../../../../src/cli/terminal/io.ts';
import { asText, escapeControl } from '../../../../src/observability/log-format.ts';

/** Control characters, marks and overrides of direction, invisible characters, tags, and separators. */
const invisible = [
  ...['\0', '\x1b', '\x7f', '\x9b', '\n'],
  ...['\u00ad', '\u061c', '\u200b', '\u200f', '\u202a', '\u202e', '\u2066', '\u2069', '\ufeff', '\u{e0041}'],
  ...['\u2028', '\u2029'],
];

function printed(print: (io: Io) => void): string {
  let text = '';
  const stdout = (data: string | Uint8Array) => {
    text += data;
  };
  print({ stdout, output: { columns: undefined, color: false, fullDigests: true } } as Io);
  return text;
}

it.each(invisible)('a person sees no %j', (character) => {
  expect(escapeControl(`amd${character}64`)).toBe('amd?64');
  expect(printed((io) => printLines(io, [`amd${character}64`]))).toBe('amd?64\n');
  const line = JSON.stringify({ level: 'info', time: '', message: `amd${character}64` });
  expect(asText(line)).toContain('amd?64');
});

it('letters of every language stay', () => {
  const text = 'größe 大小 גודל حجم 🐳';
  expect(escapeControl(text)).toBe(text);
});

it.each(invisible)('JSON has %j as an escape', (character) => {
  const value = { os: `amd${character}64` };
  const text = printed((io) => printJson(io, value));
  expect(text).toMatch(/^\{\n {2}"os": "amd\\[\\\w]+64"\n\}\n$/);
  expect(JSON.parse(text)).toEqual(value);
});

it.each([
  [20, ['a note with twelve', 'words and', '127.0.0.1:5000/a/repository:latest', '', 'second line']],
  [undefined, ['a note with twelve words and 127.0.0.1:5000/a/repository:latest', '', 'second line']],
])('a note in %s columns', (errorColumns, lines) => {
  let text = '';
  const stderr = (data: string) => {
    text += data;
  };
  printNote(
    { stderr, errorColumns } as Io,
    'a note with twelve words and 127.0.0.1:5000/a/repository:latest\n\nsecond line',
  );
  expect(text.split('\n')).toEqual([...lines, '']);
});
