import { concatenate } from '../../../converters/bytes.ts';

/** What a command has of the world around it. */
export interface Io {
  /** What was asked for, to standard output: bytes as they are. */
  readonly stdout: (data: string | Uint8Array) => void;
  /** What people should know beside it, to standard error. */
  readonly stderr: (text: string) => void;
  /** Standard input, to its end. */
  readonly read: () => Promise<Uint8Array>;
  /** Standard error is a terminal: a line may be written over. */
  readonly terminal: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export function processIo(): Io {
  // Whoever reads no further (`| head`) is not an error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });
  return {
    stdout: (data) => void process.stdout.write(data),
    stderr: (text) => void process.stderr.write(text),
    read: readInput,
    terminal: process.stderr.isTTY === true,
    env: process.env,
  };
}

/** Not by readFileSync, which fails where a pipe has nothing to say yet (EAGAIN). */
async function readInput(): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of process.stdin) pieces.push(piece);
  return concatenate(pieces);
}

/** Lines for a person. Names in manifests are anyone's words: no terminal shall take them for commands. */
export function printLines(io: Io, lines: readonly string[]): void {
  io.stdout(lines.map((line) => `${escapeControl(line)}\n`).join(''));
}

/** For machines: one JSON document. */
export function printJson(io: Io, value: unknown): void {
  const escaped = (character: string) => `\\u00${character.charCodeAt(0).toString(16)}`;
  io.stdout(`${JSON.stringify(value, undefined, 2).replace(/[\x7f-\x9f]/g, escaped)}\n`);
}

export function escapeControl(text: string): string {
  return text.replace(/\p{Cc}/gu, '?');
}
