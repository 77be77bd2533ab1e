import { type Io, printLines } from './io.ts';

/** Prints columns with two spaces between them; lines have no trailing spaces. */
export function printTable(
  io: Io,
  rows: readonly (readonly string[])[],
  head?: readonly string[],
  indent = '',
): void {
  const all = head ? [head, ...rows] : rows;
  const widths: number[] = [];
  for (const row of all) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, [...cell].length);
    });
  }
  const padded = (cell: string, column: number) =>
    cell + ' '.repeat((widths[column] ?? 0) - [...cell].length);
  printLines(
    io,
    all.map((row) => `${indent}${row.map(padded).join('  ')}`.trimEnd()),
  );
}
