import { describe, expect, it, test } from 'vitest';
import { outputStyle } from '../../../../src/cli/terminal/io.ts';
import { shownText, wrapWords } from '../../../../src/cli/terminal/text.ts';

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;

describe('outputStyle', () => {
  test.each([
    [{}, {}, { columns: undefined, color: false, fullDigests: true }],
    [{ isTTY: true, columns: 120 }, {}, { columns: 120, color: true, fullDigests: false }],
    // A terminal that does not know its width says 0.
    [{ isTTY: true, columns: 0 }, {}, { columns: 80, color: true, fullDigests: false }],
    [{ isTTY: true, columns: 80 }, { NO_COLOR: '1' }, { columns: 80, color: false, fullDigests: false }],
    [{ isTTY: true, columns: 80 }, { NO_COLOR: '' }, { columns: 80, color: true, fullDigests: false }],
    [{ isTTY: true, columns: 80 }, { TERM: 'dumb' }, { columns: 80, color: false, fullDigests: false }],
  ])('%j with %j', (stream, env, style) => {
    expect(outputStyle(stream, env)).toEqual(style);
  });
});

test('digests are short on a terminal only', () => {
  const terminal = { columns: 80, color: false, fullDigests: false };
  expect(shownText(`at ${digest}, once`, terminal)).toBe('at sha256:0123456789ab…, once');
  expect(shownText(digest, { ...terminal, fullDigests: true })).toBe(digest);
  expect(shownText(digest, { ...terminal, columns: undefined })).toBe(digest);
});

describe('wrapWords', () => {
  it.each([
    ['one two three', 7, ['one two', 'three']],
    ['unbreakable a', 4, ['unbreakable', 'a']],
    ['', 10, ['']],
    ['  indented line', 30, ['  indented line']],
  ])('%j in %i columns', (text, width, lines) => {
    expect(wrapWords(text, width)).toEqual(lines);
  });
});
