import { once } from 'node:events';
import { concatenate } from '../../../converters/bytes.ts';
import { escapeControl } from '../../observability/log-format.ts';

/** The standard streams and environment of a command. */
export interface Io {
  /** Writes the result to standard output; bytes are written unchanged. */
  readonly stdout: (data: string | Uint8Array) => void;
  /** Writes a long result to standard output, not faster than its reader reads. */
  readonly pipe: (chunks: AsyncIterable<Uint8Array>) => Promise<void>;
  /** Writes notes and errors for people to standard error. */
  readonly stderr: (text: string) => void;
  /** Reads standard input to its end. */
  readonly read: () => Promise<Uint8Array>;
  /** True if standard error is a terminal, so that a line can be overwritten. */
  readonly terminal: boolean;
  /** True if standard output is a terminal. */
  readonly outputTerminal: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export function processIo(): Io {
  // A reader that stops early, like `| head`, is not an error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });
  return {
    stdout: (data) => void process.stdout.write(data),
    pipe: pipeOutput,
    stderr: (text) => void process.stderr.write(text),
    read: readInput,
    terminal: process.stderr.isTTY === true,
    outputTerminal: process.stdout.isTTY === true,
    env: process.env,
  };
}

async function pipeOutput(chunks: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const bytes of chunks) if (!process.stdout.write(bytes)) await once(process.stdout, 'drain');
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
