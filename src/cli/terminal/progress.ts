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
  if (io.errorColumns === undefined) return { step: () => undefined, end: () => undefined };
  const line = createStatusLine(io, io.errorColumns);
  let done = 0;
  return {
    step(text) {
      done += 1;
      line.show(`${done}: ${escapeControl(text)}`);
    },
    end: line.clear,
  };
}

/** The last line of a terminal, which is overwritten. */
export interface StatusLine {
  /** Shows a text, cut at the width of the terminal: a text that wraps cannot be overwritten. */
  show(text: string): void;
  clear(): void;
}

/** @param columns the width of the terminal that standard error is. */
export function createStatusLine({ stderr }: Pick<Io, 'stderr'>, columns: number): StatusLine {
  // Some terminals wrap after the last column.
  const length = Math.max(1, columns - 1);
  return {
    show: (text) => stderr(`\r${text.slice(0, length).padEnd(length)}`),
    clear: () => stderr(`\r${' '.repeat(length)}\r`),
  };
}

const barLength = 20;

export function createProgress(io: Io, total: number): Progress {
  let done = 0;
  const status = io.errorColumns === undefined ? undefined : createStatusLine(io, io.errorColumns);
  const show = (text: string) => {
    const count = `${done}/${total} ${escapeControl(text)}`;
    if (status === undefined) return io.stderr(`${count}\n`);
    const filled = Math.round((done / Math.max(1, total)) * barLength);
    status.show(`[${'#'.repeat(filled)}${'.'.repeat(barLength - filled)}] ${count}`);
  };
  return {
    note: show,
    step(text) {
      done += 1;
      show(text);
    },
    end: () => status?.clear(),
  };
}
