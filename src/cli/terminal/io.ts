import { concatenate } from '../../../converters/bytes.ts';
import { escapeControl } from '../../observability/log-format.ts';

/** The standard streams and environment of a command. */
export interface Io {
  /** Writes the result to standard output; bytes are written unchanged. */
  readonly stdout: (data: string | Uint8Array) => void;
  /** Writes notes and errors for people to standard error. */
  readonly stderr: (text: string) => void;
  /** Reads standard input to its end. */
  readonly read: () => Promise<Uint8Array>;
  /** True if standard error is a terminal, so that a line can be overwritten. */
  readonly terminal: boolean;
  /** How standard output is shown. */
  readonly output: OutputStyle;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The properties of standard output that decide how results for people look. */
export interface OutputStyle {
  /** Number of columns of the terminal; undefined if there is none, so that each line stays whole for programs. */
  readonly columns: number | undefined;
  /** True if text may have colours. */
  readonly color: boolean;
}

const defaultColumns = 80;

/** Reads the style of a stream: https://no-color.org says that any value of NO_COLOR but "" turns colours off. */
export function outputStyle(
  { isTTY, columns }: { readonly isTTY?: boolean; readonly columns?: number },
  env: Io['env'],
): OutputStyle {
  if (!isTTY) return { columns: undefined, color: false };
  return { columns: columns || defaultColumns, color: !env.NO_COLOR && env.TERM !== 'dumb' };
}

export function processIo(): Io {
  // A reader that stops early, like `| head`, is not an error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });
  return {
    stdout: (data) => void process.stdout.write(data),
    stderr: (text) => void process.stderr.write(text),
    read: readInput,
    terminal: process.stderr.isTTY === true,
    output: outputStyle(process.stdout, process.env),
    env: process.env,
  };
}

/** Reads the stream: `readFileSync` fails with EAGAIN if a pipe has no data yet. */
async function readInput(): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of process.stdin) pieces.push(piece);
  return concatenate(pieces);
}

/** Prints lines for a person, escaped by `escapeControl`. */
export function printLines(io: Io, lines: readonly string[]): void {
  io.stdout(lines.map((line) => `${escapeControl(line)}\n`).join(''));
}

/** Prints one JSON document. Invisible characters are escapes of JSON, so that the values stay the same. */
export function printJson(io: Io, value: unknown): void {
  const escaped = (characters: string) =>
    characters
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join('');
  // JSON.stringify escapes control characters in strings, except DEL and C1. Its line breaks stay.
  const text = JSON.stringify(value, undefined, 2);
  io.stdout(`${text.replace(/[\x7f-\x9f]|[\p{Cf}\p{Zl}\p{Zp}]/gu, escaped)}\n`);
}
