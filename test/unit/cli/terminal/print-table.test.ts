import { describe, expect, it } from 'vitest';
import type { Io } from '../../../../src/cli/terminal/io.ts';
import { printTable } from '../../../../src/cli/terminal/print-table.ts';

function printed(columns: number | undefined, rows: readonly string[][], head?: string[]): string[] {
  let text = '';
  const stdout = (data: string | Uint8Array) => {
    text += data;
  };
  printTable({ stdout, output: { columns, color: false, fullDigests: false } } as Io, rows, head);
  return text.split('\n').slice(0, -1);
}

const head = ['client', 'gets', 'digest', 'loses'];
const losses =
  'two entries that are attestations; a nested index, which this client does not read; annotations';
const row = ["Docker 26–28 with containerd's store", 'as stored', 'sha256:0123456789ab…', losses];
const short = ['crane', 'oci', 'sha256:0123456789ab…', ''];

describe('a table with long words', () => {
  it.each([80, 100, 120])('keeps to %i columns, and breaks between words', (columns) => {
    const lines = printed(columns, [row, short], head);
    expect(lines.filter((line) => [...line].length > columns)).toEqual([]);
    const words = lines.join(' ').replace(/\s+/g, ' ');
    for (const word of losses.split(' ')) expect(words).toContain(word);
  });

  it('puts a last column without room below its row, with its head', () => {
    const lines = printed(80, [row, short], head);
    expect(lines[0]).not.toContain('loses');
    expect(lines[2]).toMatch(/^ {4}loses: two entries/);
    expect(lines.at(-1)).toMatch(/^crane +oci +sha256:0123456789ab…$/);
  });

  it('is one line for each row without a terminal', () => {
    expect(printed(undefined, [row, short], head)).toHaveLength(3);
  });
});

it('prints the rows of a repository with many tags', () => {
  const rows = Array.from({ length: 150_000 }, (_, at) => [`team/app:${at}`, 'oci']);
  const lines = printed(undefined, rows);
  expect(lines).toHaveLength(rows.length);
  expect(lines[0]).toBe('team/app:0       oci');
});
