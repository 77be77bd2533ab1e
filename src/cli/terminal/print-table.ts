import type { Io } from './io.ts';
import { type Cell, colored, lengthOf, shownText, wrapWords } from './text.ts';

/** Narrowest last column that is worth a wrap, in characters. */
const narrowest = 20;

/**
 * Prints columns with two spaces between them; lines have no trailing spaces. On a terminal, the last column of a row
 * continues below itself, or below the row if it has no room beside the others.
 */
export function printTable(
  io: Io,
  rows: readonly (readonly Cell[])[],
  head?: readonly string[],
  indent = '',
): void {
  const all = (head ? [head, ...rows] : rows).map((row) =>
    row.map((cell) => ({ cell, text: shownText(cell, io.output) })),
  );
  const last = Math.max(0, ...all.map((row) => row.length)) - 1;
  const widths = Array.from({ length: last }, (_, column) =>
    Math.max(0, ...all.map((row) => lengthOf(row[column]?.text ?? ''))),
  );
  const before = indent.length + widths.reduce((sum, width) => sum + width + 2, 0);
  const columns = io.output.columns ?? Number.POSITIVE_INFINITY;
  const room = columns - before;
  const below = columns - indent.length - 4;
  for (const row of all) {
    const start = widths.map((width, column) => {
      const { text = '', cell = '' } = row[column] ?? {};
      return `${colored(text, cell, io.output)}${' '.repeat(width - lengthOf(text))}  `;
    });
    const { text = '', cell = '' } = row[last] ?? {};
    const isBelow = room < narrowest && lengthOf(text) > room;
    const left = isBelow ? `${indent}    ` : ' '.repeat(before);
    const lines = isBelow ? ['', ...wrapWords(text, below)] : wrapWords(text, Math.max(room, narrowest));
    for (const [at, line] of lines.entries()) {
      const margin = at === 0 ? `${indent}${start.join('')}` : left;
      io.stdout(`${`${margin}${colored(line, cell, io.output)}`.trimEnd()}\n`);
    }
  }
}
