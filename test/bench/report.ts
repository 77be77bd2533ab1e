/** One line of the table that `npm run bench` prints: what regshift does against what a user would otherwise pick. */
export interface Row {
  readonly work: string;
  /** With its unit, like `31,200 /s`. */
  readonly regshift: string;
  readonly against: string;
  /** The figure that is judged: a ratio, or the figure itself. */
  readonly figure: number;
  /** Absent where it is told for its own sake. */
  readonly bound?: number;
  /** Whether the figure has to be `least` the bound, or `most`. */
  readonly is: 'least' | 'most';
}

const rows: Row[] = [];

/** Prints a row at once, and ends the process with 1 where it is beyond its bound. */
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

/** What is left out because a program is not there. */
export function leftOut(work: string, program: string): void {
  if (!process.env.BENCH_JSON) console.log(`${work}\n    left out: ${program} is not installed`);
}

export function printJson(): void {
  if (process.env.BENCH_JSON) console.log(JSON.stringify(rows));
}

export function rate(perSecond: number): string {
  return `${Math.round(perSecond).toLocaleString('en')} /s`;
}
