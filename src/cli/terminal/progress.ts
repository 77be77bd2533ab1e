import { escapeControl } from '../../observability/log-format.ts';
import type { Io } from './io.ts';

/** Shows the progress of a long task: a bar that is overwritten on a terminal, a line for each step elsewhere. */
export interface Progress {
  /** Shows the reason for a wait. */
  note(text: string): void;
  /** Counts one more step as done. */
  step(text: string): void;
  /** Clears the bar from the terminal. */
  end(): void;
}

/** Shows on a terminal what is done now, without a total. */
export function createActivity(io: Io): Pick<Progress, 'step' | 'end'> {
  if (!io.terminal) return { step: () => undefined, end: () => undefined };
  let done = 0;
  return {
    step(text) {
      done += 1;
      io.stderr(`\r${`${done}: ${escapeControl(text)}`.slice(0, lineLength).padEnd(lineLength)}`);
    },
    end: () => io.stderr(`\r${' '.repeat(lineLength)}\r`),
  };
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
