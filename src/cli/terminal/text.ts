import { styleText } from 'node:util';
import { escapeControl } from '../../observability/log-format.ts';

/** The properties of standard output that decide how results for people look. */
export interface OutputStyle {
  /** Number of columns of the terminal; undefined if there is none, so that each line stays whole for programs. */
  readonly columns: number | undefined;
  /** True if text may have colours. */
  readonly color: boolean;
  /** True if digests stay whole on a terminal, too (`--full`). */
  readonly fullDigests: boolean;
}

/** Text with a colour, or without. */
export type Cell = string | { readonly text: string; readonly color: 'red' | 'green' | 'yellow' | 'dim' };

/** The text of a cell for people: control characters escaped, and digests short on a terminal. */
export function shownText(cell: Cell, { columns, fullDigests }: OutputStyle): string {
  const text = escapeControl(typeof cell === 'string' ? cell : cell.text);
  if (columns === undefined || fullDigests) return text;
  return text.replace(/\b(sha256|sha512):([0-9a-f]{12})[0-9a-f]{52,}/g, '$1:$2…');
}

/** The text of a cell in its colour, where the output has colours. */
export function colored(text: string, cell: Cell, { color }: OutputStyle): string {
  if (typeof cell === 'string' || !color) return text;
  // Io has decided about colours.
  return styleText(cell.color, text, { validateStream: false });
}

/** Splits text into lines between words. A word that is longer than a line has a line for itself. */
export function wrapWords(text: string, width: number): string[] {
  const lines: string[] = [];
  const [first = '', ...more] = text.split(' ');
  let line = first;
  for (const word of more) {
    const longer = `${line} ${word}`;
    if (line.trim() !== '' && lengthOf(longer) > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line];
}

/** Wraps each line of a text. @param width in columns; undefined for lines that stay whole. */
export function wrapLines(text: string, width: number | undefined): string {
  if (width === undefined) return text;
  return text
    .split('\n')
    .flatMap((line) => wrapWords(line, width))
    .join('\n');
}

/** Number of characters; each takes one column in the texts of this program. */
export function lengthOf(text: string): number {
  return [...text].length;
}
