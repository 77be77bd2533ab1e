/** One row of the table that `npm run bench` prints: regshift compared with the usual alternative. */
export interface Row {
  readonly work: string;
  /** A figure with its unit, like `31,200 /s`. */
  readonly regshift: string;
  readonly against: string;
  /** The figure that is compared with the bound: a ratio, or the measured figure. */
  readonly figure: number;
  /** Absent when the figure has no bound. */
  readonly bound?: number;
  /** Whether the bound is the `least` or the `most` that the figure may be. */
  readonly is: 'least' | 'most';
}

const rows: Row[] = [];

/** Prints a row at once. A figure beyond its bound makes the process end with status 1. */
export function report(row: Row): void {
  rows.push(row);
  const { bound } = row;
  const reached = bound === undefined || (row.is === 'least' ? row.figure >= bound : row.figure <= bound);
  if (!reached) process.exitCode = 1;
  if (process.env.BENCH_JSON) return;
  const asked = bound === undefined ? '' : ` (at ${row.is} ${bound})`;
  const verdict = `${row.figure.toFixed(2)}${asked}${reached ? '' : '  NOT REACHED'}`;
  console.log(`${row.work}\n    ${row.regshift} against ${row.against}: ${verdict}`);
}

/** Prints that a comparison is left out because a program is not installed. */
export function leftOut(work: string, program: string): void {
  if (!process.env.BENCH_JSON) console.log(`${work}\n    left out: ${program} is not installed`);
}

export function printJson(): void {
  if (process.env.BENCH_JSON) console.log(JSON.stringify(rows));
}

export function rate(perSecond: number): string {
  return `${Math.round(perSecond).toLocaleString('en')} /s`;
}
