import { Command, CommanderError } from '@commander-js/extra-typings';
import { ConversionError } from '../../converters/errors.ts';
import { RegistryError } from '../errors.ts';
import { version } from '../version.ts';
import { addImageCommands } from './image-commands.ts';
import { addOperatorCommands } from './operator-commands.ts';
import { escapeControl, type Io } from './terminal/io.ts';
import { exitCodes, UsageError } from './usage.ts';

/**
 * Runs a command to its end; `serve` goes on after that.
 * @param argv without the program's own name.
 * @returns the exit code: 0 is good, 1 means that what was asked for failed or is invalid, 2 that it was asked wrongly.
 */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  let code: number = exitCodes.good;
  const program = programOf(io, (result) => {
    code = result;
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    return codeOf(error, io);
  }
}

/** A command is loaded when it runs: `serve` should not wait for what it does not need. */
function programOf(io: Io, done: (code: number) => void): Command {
  const program = new Command('regshift')
    .description(
      'One registry, every client: gives each container client the image manifest that it can read.',
    )
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .showHelpAfterError('(--help says more)')
    .configureOutput({ writeOut: io.stdout, writeErr: io.stderr })
    .exitOverride();
  addOperatorCommands(program, io, done);
  addImageCommands(program, io, done);
  return program;
}

function codeOf(error: unknown, io: Io): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.good : exitCodes.wrongUsage;
  const expected = error instanceof ConversionError || error instanceof RegistryError || isOfSystem(error);
  if (expected || error instanceof UsageError) {
    io.stderr(`regshift: ${escapeControl(messageOf(error))}\n`);
    return error instanceof UsageError ? exitCodes.wrongUsage : exitCodes.failed;
  }
  io.stderr(`regshift: something that should not happen: ${error instanceof Error ? error.stack : error}\n`);
  return exitCodes.failed;
}

/** A file that is not there, a port that is taken. */
function isOfSystem(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

/** The system's own words are for programmers: `ENOENT: no such file or directory, open 'x'`. */
function messageOf(error: Error): string {
  if (!isOfSystem(error) || error.path === undefined) return error.message;
  const words: Readonly<Record<string, string>> = {
    ENOENT: 'there is no such file or folder',
    EACCES: 'you may not open it',
    EISDIR: 'this is a folder',
    ENOTDIR: 'a part of this path is a file, and a folder is wanted',
  };
  return `${error.path}: ${words[error.code ?? ''] ?? error.message}`;
}
