import { describe, expect, it } from 'vitest';
import { createTransferProgress, transferLine } from '../../../../src/cli/terminal/transfer-progress.ts';

function progressAt(terminal: boolean, columns = 80) {
  let now = 0;
  const lines: string[] = [];
  const io = {
    stdout: () => {},
    pipe: async () => {},
    stderr: (text: string) => void lines.push(text),
    read: async () => new Uint8Array(),
    errorColumns: terminal ? columns : undefined,
    output: { columns: undefined, color: false, fullDigests: true },
    env: {},
    loginFiles: {},
  };
  const progress = createTransferProgress(io, () => now);
  return {
    progress,
    lines,
    pass(milliseconds: number, bytes: number) {
      now += milliseconds;
      progress.add(bytes);
    },
  };
}

const last = (lines: readonly string[]) => lines.at(-1)?.trim();

describe('the progress of a transfer', () => {
  it('shows amount, rate and time left on one line of a terminal', () => {
    const { progress, lines, pass } = progressAt(true);
    progress.begin('copied', 100_000_000);
    for (let second = 0; second <= 10; second += 1) pass(1000, 2_000_000);
    expect(last(lines)).toBe('copied 22.0 MB of 100 MB, 2.2 MB/s, 36 s left');
    expect(lines.every((line) => line.startsWith('\r') && line.length === 80)).toBe(true);
    progress.end();
    expect(lines.at(-1)).toBe(`\r${' '.repeat(79)}\r`);
  });

  it('is cut at the width of the terminal, so that it stays on one line', () => {
    const { progress, lines, pass } = progressAt(true, 30);
    progress.begin('copied', 100_000_000);
    for (let second = 0; second <= 10; second += 1) pass(1000, 2_000_000);
    expect(last(lines)).toBe('copied 22.0 MB of 100 MB, 2.2');
    expect(new Set(lines.map((line) => line.length))).toEqual(new Set([30]));
    progress.end();
    expect(lines.at(-1)).toBe(`\r${' '.repeat(29)}\r`);
  });

  it('follows a line that gets slower', () => {
    const { progress, lines, pass } = progressAt(true);
    progress.begin('copied', 1_000_000_000);
    for (let second = 0; second < 10; second += 1) pass(1000, 10_000_000);
    for (let second = 0; second < 20; second += 1) pass(1000, 100_000);
    expect(last(lines)).toMatch(/, 110 kB\/s, /);
  });

  it('does not count skipped bytes as speed', () => {
    const { progress, lines, pass } = progressAt(true);
    progress.begin('copied', 1_000_000);
    progress.skip(500_000);
    pass(1000, 1000);
    pass(1000, 1000);
    expect(last(lines)).toBe('copied 502 kB of 1.0 MB, 2.0 kB/s, 5 min left');
  });

  it('writes a few lines a second at most, and none without a terminal', () => {
    const { progress, lines, pass } = progressAt(true);
    progress.begin('copied', 10);
    for (let step = 0; step < 1000; step += 1) pass(1, 1);
    expect(lines.length).toBeLessThan(10);
    const quiet = progressAt(false);
    quiet.progress.begin('copied', 10);
    quiet.pass(1000, 10);
    quiet.progress.skip(1);
    quiet.progress.end();
    expect(quiet.lines).toEqual([]);
  });

  it('names no time left without a rate or a total', () => {
    expect(transferLine('read', 1500, undefined, 1000)).toBe('read 1.5 kB, 1.0 kB/s');
    expect(transferLine('read', 1500, 3000, undefined)).toBe('read 1.5 kB of 3.0 kB');
    expect(transferLine('read', 3000, 3000, 1000)).toBe('read 3.0 kB of 3.0 kB, 1.0 kB/s');
    expect(transferLine('read', 0, 10_000_000, 1000)).toBe('read 0 B of 10.0 MB, 1.0 kB/s, 2 h 47 min left');
  });
});
