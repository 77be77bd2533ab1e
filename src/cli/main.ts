import { Command, CommanderError, type Help, type Option } from '@commander-js/extra-typings';
import { ConversionError } from '../../converters/errors.ts';
import { RegistryError } from '../errors.ts';
import { escapeControl } from '../observability/log-format.ts';
import { version } from '../version.ts';
import { errorText } from './error-text.ts';
import { addImageCommands } from './image-commands.ts';
import { addOperatorCommands } from './operator-commands.ts';
import { addShellCommands } from './shell-commands.ts';
import type { Io } from './terminal/io.ts';
import { exitCodes, UsageError } from './usage.ts';

/**
 * Runs a command to its end; `serve` continues after that.
 * @param argv the arguments, without the program's name.
 * @returns the exit code: 0 for success, 1 if the command failed or its subject is invalid, 2 for wrong usage or settings.
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

/** Declares the commands. The code of a command is loaded when the command runs, which keeps the start fast. */
function programOf(io: Io, done: (code: number) => void): Command {
  const program = new Command('regshift')
    .description(
      'One registry, every client: each container client gets the image manifest that it can read.',
    )
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .showHelpAfterError('(see --help)')
    .configureHelp(helpStyle)
    .configureOutput({
      writeOut: io.stdout,
      writeErr: io.stderr,
      outputError: (text, write) => write(withoutLogins(text)),
    })
    .exitOverride();
  addOperatorCommands(program, io, done);
  addImageCommands(program, io, done);
  addShellCommands(program, io, done);
  return program;
}

/** Help texts of 80 columns at most, which name choices and defaults as users type them. */
const helpStyle: Partial<Help> = {
  helpWidth: 80,
  optionDescription({ description, argChoices, defaultValue, defaultValueDescription }: Option): string {
    const hasDefault = defaultValue !== undefined && typeof defaultValue !== 'boolean';
    const facts = [
      ...(argChoices ? [`one of ${argChoices.join(', ')}`] : []),
      ...(hasDefault ? [`default: ${defaultValueDescription ?? defaultValue}`] : []),
    ];
    return facts.length === 0 ? description : `${description} (${facts.join('; ')})`;
  },
};

/** Removes logins from URLs: the parser quotes wrong values, and logs of CI keep its messages. */
function withoutLogins(text: string): string {
  return text.replace(/\/\/[^/\s']*@/g, '//…@');
}

/** Prints an error and returns the exit code for it. */
function codeOf(error: unknown, io: Io): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.good : exitCodes.wrongUsage;
  const expected = error instanceof ConversionError || error instanceof RegistryError || isOfSystem(error);
  if (expected || error instanceof UsageError) {
    io.stderr(`regshift: ${escapeControl(messageOf(error))}\n`);
    return error instanceof UsageError ? exitCodes.wrongUsage : exitCodes.failed;
  }
  io.stderr(
    `regshift: unexpected error, please report it: ${error instanceof Error ? error.stack : error}\n`,
  );
  return exitCodes.failed;
}

/** Tells whether an error comes from a system call: a missing file, a port in use. */
function isOfSystem(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

/** Words an error for people: Node's own text is like `ENOENT: no such file or directory, open 'x'`. */
function messageOf(error: Error): string {
  if (error instanceof RegistryError) return errorText(error);
  if (!isOfSystem(error) || error.path === undefined) return error.message;
  const words: Readonly<Record<string, string>> = {
    ENOENT: 'no such file or folder',
    EACCES: 'permission denied',
    EISDIR: 'this is a folder, but a file is needed',
    ENOTDIR: 'a part of this path is a file, but must be a folder',
  };
  return `${error.path}: ${words[error.code ?? ''] ?? error.message}`;
}
