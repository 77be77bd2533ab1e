import type { Io } from './io.ts';
import { type Cell, colored, lengthOf, type OutputStyle, shownText, wrapWords } from './text.ts';

/** Narrowest last column that is worth a wrap, in characters. */
const narrowest = 20;

interface ShownCell {
  readonly cell: Cell;
  readonly text: string;
}

/**
 * Prints columns with two spaces between them; lines have no trailing spaces. On a terminal, the last column of a row
 * continues below itself, or below the row, with its head, if it has no room beside the others.
 */
export function printTable(
  io: Io,
  rows: readonly (readonly Cell[])[],
  head?: readonly string[],
  indent = '',
): void {
  const shown = (row: readonly Cell[]) => row.map((cell) => ({ cell, text: shownText(cell, io.output) }));
  const body = rows.map(shown);
  const all = head ? [shown(head), ...body] : body;
  const last = largest(all, (row) => row.length) - 1;
  const widths = Array.from({ length: last }, (_, column) =>
    largest(all, (row) => lengthOf(row[column]?.text ?? '')),
  );
  const before = indent.length + widths.reduce((sum, width) => sum + width + 2, 0);
  // Whole digests fit no terminal of 80 columns: each row stays one line.
  const width = io.output.fullDigests ? undefined : io.output.columns;
  const columns = width ?? Number.POSITIVE_INFINITY;
  const room = columns - before;
  const isBelow = room < narrowest && all.some((row) => lengthOf(row[last]?.text ?? '') > room);
  const print = (line: string) => io.stdout(`${line.trimEnd()}\n`);
  for (const row of all) {
    const start = widths.map((width, column) => padded(row[column], width, io.output)).join('');
    const { text = '', cell = '' } = row[last] ?? {};
    const label = isBelow && head ? `${head[last] ?? ''}: ` : '';
    const margin = `${indent}    `;
    const isRowBelow = isBelow || longestWord(text) > room;
    if (!isRowBelow) {
      for (const [at, line] of wrapWords(text, room).entries())
        print(`${at === 0 ? `${indent}${start}` : ' '.repeat(before)}${colored(line, cell, io.output)}`);
      continue;
    }
    print(`${indent}${start}`);
    if (text === '' || (label !== '' && text === head?.[last])) continue;
    for (const line of wrapWords(`${label}${text}`, columns - margin.length))
      print(`${margin}${colored(line, cell, io.output)}`);
  }
}

/** The largest number of a table, 0 at least. A table may have more rows than a call takes arguments. */
function largest(
  rows: readonly (readonly ShownCell[])[],
  numberOf: (row: readonly ShownCell[]) => number,
): number {
  return rows.reduce((most, row) => Math.max(most, numberOf(row)), 0);
}

function padded(
  { text, cell }: ShownCell = { text: '', cell: '' },
  width: number,
  style: OutputStyle,
): string {
  return `${colored(text, cell, style)}${' '.repeat(width - lengthOf(text))}  `;
}

function longestWord(text: string): number {
  return Math.max(...text.split(' ').map(lengthOf));
}
