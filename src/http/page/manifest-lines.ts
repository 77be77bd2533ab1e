import { diffArrays } from 'diff';

/** A line of a manifest as the page shows it; a gap stands beside lines that the other manifest has alone. */
export interface Line {
  readonly text: string;
  readonly change: 'same' | 'removed' | 'added' | 'gap';
}

/** Longest difference in lines that is looked for: beyond it, both sides stand without marks. */
const mostEdits = 1_000;

/** Most lines of a manifest that are shown, and most characters of it that are looked at. */
const mostLines = 3_000;
const mostCharacters = 524_288;

/** Deepest level that is indented further: a document that is no manifest may open a million brackets. */
const deepest = 100;

/** The lines of two manifests, with marks where they differ. */
export function comparedLines(stored: Uint8Array, sent: Uint8Array): readonly [Line[], Line[]] {
  const [one, other] = [linesOf(stored), linesOf(sent)];
  const changes = diffArrays(one, other, { maxEditLength: mostEdits });
  if (changes === undefined) return [plain(one), plain(other)];
  const [before, after]: [Line[], Line[]] = [[], []];
  for (const { value, added, removed } of changes) {
    // Lines that stayed stand beside each other again: gaps fill the shorter side of a change.
    if (!added && !removed) fillGaps(before, after);
    for (const text of value) {
      if (!added) before.push({ text, change: removed ? 'removed' : 'same' });
      if (!removed) after.push({ text, change: added ? 'added' : 'same' });
    }
  }
  return [before, after];
}

function fillGaps(before: Line[], after: Line[]): void {
  const gap: Line = { text: '', change: 'gap' };
  while (before.length < after.length) before.push(gap);
  while (after.length < before.length) after.push(gap);
}

function plain(lines: readonly string[]): Line[] {
  return lines.map((text) => ({ text, change: 'same' }));
}

function linesOf(body: Uint8Array): string[] {
  const text = new TextDecoder().decode(body);
  const lines = indentedLines(text.slice(0, mostCharacters));
  const isWhole = text.length <= mostCharacters && lines.length <= mostLines;
  return isWhole ? lines : [...lines.slice(0, mostLines), '… the rest is not shown'];
}

/**
 * Tokens of JSON: strings with their escapes, brackets, separators, and other text. White space is left out. A string
 * without an end is one too, so that no text is scanned twice.
 */
const tokens = /"(?:[^"\\]|\\[\s\S]?)*"?|[[\]{},:]|[^\s[\]{},:"]+/g;

/**
 * Breaks JSON into indented lines, for people. Every token stays as it is written, unlike with `JSON.parse`, which
 * changes long numbers and loses repeated keys. A text that is no JSON comes out in some lines, too.
 */
export function indentedLines(text: string): string[] {
  const lines: string[] = [];
  let [line, depth, previous] = ['', 0, ''];
  const end = () => {
    lines.push(line);
    line = '  '.repeat(Math.min(depth, deepest));
  };
  for (const [token] of text.matchAll(tokens)) {
    const opens = token === '{' || token === '[';
    const closes = token === '}' || token === ']';
    const isEmpty = closes && (previous === '{' || previous === '[');
    if (closes) depth = Math.max(0, depth - 1);
    if (closes && !isEmpty) end();
    else if (previous === ',' || ((previous === '{' || previous === '[') && !closes)) end();
    line += token === ':' ? ': ' : token;
    if (opens) depth += 1;
    previous = token;
  }
  if (line !== '') lines.push(line);
  return lines;
}
