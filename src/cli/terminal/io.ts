import { once } from 'node:events';
import { concatenate } from '../../../converters/bytes.ts';
import { jsonText } from '../../observability/json-text.ts';
import { escapeControl } from '../../observability/log-format.ts';
import type { LoginFiles } from '../error-text.ts';
import { systemErrorText } from '../system-error.ts';
import type { Template } from './template.ts';
import { type Cell, colored, type OutputStyle, shownText, wrapLines, wrapWords } from './text.ts';

/** The standard streams and environment of a command. */
export interface Io {
  /** Writes the result to standard output; bytes are written unchanged. */
  readonly stdout: (data: string | Uint8Array) => void;
  /** Writes a long result to standard output, not faster than its reader reads. */
  readonly pipe: (chunks: AsyncIterable<Uint8Array>) => Promise<void>;
  /** Writes notes and errors for people to standard error. */
  readonly stderr: (text: string) => void;
  /** Reads standard input to its end, or until it has more than `most` bytes. */
  readonly read: (most: number) => Promise<Uint8Array>;
  /** Columns of the terminal that standard error is, where a line can be overwritten; undefined if it is none. */
  readonly errorColumns: number | undefined;
  /** How standard output is shown. */
  readonly output: OutputStyle;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The files whose logins the command uses, by their side. It notes them for the error of a refused login. */
  readonly loginFiles: LoginFiles;
}

const defaultColumns = 80;

/** Reads the style of a stream: https://no-color.org says that any value of NO_COLOR but "" turns colours off. */
export function outputStyle(
  { isTTY, columns }: { readonly isTTY?: boolean; readonly columns?: number },
  env: Io['env'],
): OutputStyle {
  if (!isTTY) return { columns: undefined, color: false, fullDigests: true };
  const color = !env.NO_COLOR && env.TERM !== 'dumb';
  return { columns: columns || defaultColumns, color, fullDigests: false };
}

/** The streams with whole digests, if `--full` asks for them. */
export function withDigests(io: Io, { full }: { readonly full?: true | undefined }): Io {
  return full ? { ...io, output: { ...io.output, fullDigests: true } } : io;
}

export function processIo(): Io {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // A reader that stops early, like `| head`, is not an error.
    if (error.code === 'EPIPE') process.exit();
    process.stderr.write(`regshift: the result cannot be written: ${systemErrorText(error, undefined)}\n`);
    process.exit(1);
  });
  return {
    stdout: (data) => void process.stdout.write(data),
    pipe: pipeOutput,
    stderr: (text) => void process.stderr.write(text),
    read: readInput,
    errorColumns: outputStyle(process.stderr, process.env).columns,
    output: outputStyle(process.stdout, process.env),
    env: process.env,
    loginFiles: {},
  };
}

async function pipeOutput(chunks: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const bytes of chunks) if (!process.stdout.write(bytes)) await once(process.stdout, 'drain');
}

/** Reads the stream: `readFileSync` fails with EAGAIN if a pipe has no data yet. */
async function readInput(most: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of process.stdin) {
    pieces.push(piece);
    length += piece.length;
    if (length > most) break;
  }
  return concatenate(pieces);
}

/** Prints lines for a person. On a terminal, long ones are wrapped between words. */
export function printLines(io: Io, lines: readonly Cell[]): void {
  const width = io.output.columns ?? Number.POSITIVE_INFINITY;
  for (const line of lines) {
    for (const part of wrapWords(shownText(line, io.output), width))
      io.stdout(`${colored(part, line, io.output)}\n`);
  }
}

/**
 * Prints a note or an error for a person on standard error. On a terminal, long lines are wrapped between words; a log
 * gets each line whole.
 * @param text one line or more, without the last line break.
 */
export function printNote(io: Io, text: string): void {
  const lines = text.split('\n').map(escapeControl).join('\n');
  io.stderr(`${wrapLines(lines, io.errorColumns)}\n`);
}

/** The options of a result for programs. */
export interface DataOptions {
  readonly json?: true | undefined;
  readonly format?: Template | undefined;
}

/** Prints a result for programs, if an option asks for that. @returns false if none does. */
export function printData(io: Io, value: unknown, { json, format }: DataOptions): boolean {
  if (format) io.stdout(`${format(value)}\n`);
  else if (json) printJson(io, value);
  return format !== undefined || json === true;
}

/** Prints one JSON document. */
export function printJson(io: Io, value: unknown): void {
  io.stdout(`${jsonText(value, 2)}\n`);
}

/** Returns the file that an option names for the result. `-` is standard output, as without the option. */
export function outputFile(option: string | undefined): string | undefined {
  return option === '-' ? undefined : option;
}
