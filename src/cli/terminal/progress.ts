import { escapeControl, type Io } from './io.ts';

/** Tells how far a long work is: a bar that is written over on a terminal, a line a step elsewhere. */
export interface Progress {
  /** What is being waited for. */
  note(text: string): void;
  /** One more is done. */
  step(text: string): void;
  /** Clears the bar away. */
  end(): void;
}

const barLength = 20;
const lineLength = 79;

export function createProgress(io: Io, total: number): Progress {
  let done = 0;
  const bar = (text: string) => {
    const filled = Math.round((done / Math.max(1, total)) * barLength);
    const line = `[${'#'.repeat(filled)}${'.'.repeat(barLength - filled)}] ${done}/${total} ${escapeControl(text)}`;
    io.stderr(`\r${line.slice(0, lineLength).padEnd(lineLength)}`);
  };
  const line = (text: string) => io.stderr(`${done}/${total} ${escapeControl(text)}\n`);
  const show = io.terminal ? bar : line;
  return {
    note: show,
    step(text) {
      done += 1;
      show(text);
    },
    end: () => {
      if (io.terminal) io.stderr(`\r${' '.repeat(lineLength)}\r`);
    },
  };
}
