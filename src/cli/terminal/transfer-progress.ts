import { byteText } from '../../byte-text.ts';
import type { Clock } from '../../clock.ts';
import type { Io } from './io.ts';
import { createStatusLine } from './progress.ts';

/** Shows the progress of a transfer on one line of a terminal, with its rate and the time left. Elsewhere it is quiet. */
export interface TransferProgress {
  /** Begins a part of the work. @param total bytes; undefined where they are not known before. */
  begin(what: string, total: number | undefined): void;
  /** Counts bytes that passed. */
  add(bytes: number): void;
  /** Counts bytes that need not pass, which do not change the rate. */
  skip(bytes: number): void;
  /** Clears the line. */
  end(): void;
}

/** Milliseconds between two lines. */
const refreshMs = 200;

/** Milliseconds that the rate is measured over, so that it follows a line that gets slower. */
const rateMs = 10_000;

export function createTransferProgress(io: Io, clock: Clock): TransferProgress {
  if (io.errorColumns === undefined) {
    return { begin: () => {}, add: () => {}, skip: () => {}, end: () => {} };
  }
  const status = createStatusLine(io, io.errorColumns);
  let title = '';
  let total: number | undefined;
  let done = 0;
  let shownAt = Number.NEGATIVE_INFINITY;
  let passed: { readonly at: number; readonly bytes: number }[] = [];

  function show(): void {
    const now = clock();
    if (now - shownAt < refreshMs) return;
    shownAt = now;
    passed = passed.filter(({ at }) => now - at <= rateMs);
    status.show(transferLine(title, done, total, bytesPerSecond(passed, now)));
  }

  return {
    begin(what, bytes) {
      [title, total, done, passed] = [what, bytes, 0, []];
      shownAt = Number.NEGATIVE_INFINITY;
      show();
    },
    add(bytes) {
      done += bytes;
      passed.push({ at: clock(), bytes });
      show();
    },
    skip(bytes) {
      done += bytes;
      show();
    },
    end: status.clear,
  };
}

function bytesPerSecond(passed: readonly { readonly at: number; readonly bytes: number }[], now: number) {
  const since = passed[0]?.at ?? now;
  const bytes = passed.reduce((sum, each) => sum + each.bytes, 0);
  // A rate over less than a second says nothing.
  return now - since < 1000 ? undefined : (bytes * 1000) / (now - since);
}

/** @param rate bytes a second; undefined before it is known. */
export function transferLine(
  title: string,
  done: number,
  total: number | undefined,
  rate: number | undefined,
): string {
  const amount = total === undefined ? byteText(done) : `${byteText(done)} of ${byteText(total)}`;
  const speed = rate === undefined ? [] : [`${byteText(rate)}/s`];
  const left = rate && total !== undefined && total > done ? [`${timeText((total - done) / rate)} left`] : [];
  return [`${title} ${amount}`, ...speed, ...left].join(', ');
}

function timeText(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.ceil(whole / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
