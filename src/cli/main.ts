import { Command, CommanderError, type Help, type Option } from '@commander-js/extra-typings';
import { ConversionError } from '../../converters/errors.ts';
import { RegistryError } from '../errors.ts';
import { version } from '../version.ts';
import { errorText, type GivenOptions } from './error-text.ts';
import { addImageCommands } from './image-commands.ts';
import { addOperatorCommands } from './operator-commands.ts';
import { addShellCommands } from './shell-commands.ts';
import { FileError, isOfSystem, systemErrorText } from './system-error.ts';
import { type Io, printNote } from './terminal/io.ts';
import { wrapLines } from './terminal/text.ts';
import { exitCodes, UsageError } from './usage.ts';

/**
 * Runs a command to its end; `serve` continues after that.
 * @param argv the arguments, without the program's name.
 * @returns the exit code: 0 for success, 1 if the command failed or its subject is invalid, 2 for wrong usage or settings.
 */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  let code: number = exitCodes.good;
  let options: GivenOptions = {};
  const program = programOf(io, (result) => {
    code = result;
  });
  program.hook('preAction', (_, command) => {
    refuseEmptyValues(command);
    options = command.opts();
  });
  try {
    await program.parseAsync(withAttachedValues(helpArguments(program, argv)), { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) hintAt(error, argv, program, io);
    return codeOf(error, options, io);
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
      writeErr: (text) => io.stderr(wrapLines(text, io.errorColumns)),
      outputError: (text, write) => write(withoutLogins(text)),
    })
    .exitOverride();
  addOperatorCommands(program, io, done);
  addImageCommands(program, io, done);
  addShellCommands(program, io, done);
  return program;
}

/**
 * The arguments with which the parser prints the help of a command at any depth, as of `help store info`, or the error of
 * an unknown one. Its own help command knows one level, and prints the help of the program for an unknown name.
 */
function helpArguments(program: Command, argv: readonly string[]): readonly string[] {
  const [first, ...names] = argv;
  if (first !== 'help' || names.length === 0) return argv;
  let command: Pick<Command, 'commands'> = program;
  for (const [depth, name] of names.entries()) {
    if (command.commands.length === 0) return [...names.slice(0, depth), '--help'];
    const found = command.commands.find((each) => each.name() === name);
    if (found === undefined) return names.slice(0, depth + 1);
    command = found;
  }
  return [...names, '--help'];
}

/** Writes `-f=value` as `-fvalue`, which Docker and crane take for the same (spf13/pflag, flag.go, `parseSingleShortArg`). */
function withAttachedValues(argv: readonly string[]): readonly string[] {
  const end = argv.indexOf('--');
  return argv.map((word, at) => (end >= 0 && at > end ? word : word.replace(/^(-[a-z])=(?=.)/i, '$1')));
}

/** Options whose empty value is the empty value of a header. */
const headerOptions = ['--accept', '--user-agent'];

/**
 * Refuses an empty value, as a shell gives it for a variable that is not set: the command would do something else than
 * it was asked for.
 */
function refuseEmptyValues(command: Pick<Command, 'options' | 'getOptionValue' | 'error'>): void {
  for (const option of command.options) {
    if (!option.required || headerOptions.includes(option.long ?? '')) continue;
    const value: unknown = command.getOptionValue(option.attributeName());
    if (value !== '' && !(Array.isArray(value) && value.includes(''))) continue;
    const text = `error: option '${option.flags}' argument '' is invalid. It must not be empty.`;
    command.error(text, { code: 'commander.invalidArgument' });
  }
}

/** Help texts of 80 columns at most, which name choices and defaults as users type them. */
const helpStyle: Partial<Help> = {
  helpWidth: 80,
  optionDescription({ description, argChoices, defaultValue, defaultValueDescription }: Option): string {
    const hasDefault = defaultValue !== undefined && typeof defaultValue !== 'boolean';
    const facts = [
      ...(argChoices ? [argChoices.length === 1 ? argChoices[0] : `one of ${argChoices.join(', ')}`] : []),
      ...(hasDefault ? [`default: ${defaultValueDescription ?? defaultValue}`] : []),
    ];
    return facts.length === 0 ? description : `${description} (${facts.join('; ')})`;
  },
};

/**
 * Removes logins: the parser quotes wrong values, and unknown options like `--dest-creds=user:password` of skopeo, and logs
 * of CI keep its messages. A password in a URL may have any character; the "@" of a digest ends none.
 */
function withoutLogins(text: string): string {
  return text.replace(/(unknown option '-[^=]*=).*'/, "$1…'").replace(/\/\/.*@(?!sha\d+:)/g, '//…@');
}

/** The ways to do here what commands of crane, skopeo and regctl do. */
const otherCommands: ReadonlyMap<string, string> = new Map([
  ['cp', 'regshift copy'],
  ['digest', "regshift inspect <image> --format '{{.stored.digest}}'"],
  ['manifest', 'regshift inspect <image> --raw'],
  ['validate', 'regshift verify <image> --layers'],
  ['pull', 'regshift save'],
  ['export', 'regshift save'],
  ['login', 'docker login or podman login, whose logins regshift uses'],
  ['auth', 'docker login or podman login, whose logins regshift uses'],
]);

/** Tells users of other programs where they find here what they asked for. */
function hintAt({ code }: CommanderError, argv: readonly string[], program: Command, io: Io): void {
  const [first = ''] = argv;
  const instead = otherCommands.get(first);
  if (code === 'commander.unknownCommand' && instead) printNote(io, `Use ${instead}.`);
  if (code === 'commander.unknownOption' && first.startsWith('-')) {
    printNote(io, 'Options stand after the command: regshift inspect <image> --verbose.');
  }
  const options = program.commands.find((each) => each.name() === first)?.options ?? [];
  const taker = options.find(({ variadic, long }) => variadic && long && argv.includes(long));
  if (code === 'commander.missingArgument' && taker) {
    printNote(io, `${taker.long} takes all words behind it. Write the image before ${taker.long}.`);
  }
}

/** Prints an error and returns the exit code for it. */
function codeOf(error: unknown, options: GivenOptions, io: Io): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.good : exitCodes.wrongUsage;
  const ofImage = error instanceof ConversionError || error instanceof RegistryError;
  const expected = ofImage || error instanceof FileError || isOfSystem(error);
  if (expected || error instanceof UsageError) {
    printNote(io, `regshift: ${messageOf(error, options, io)}`);
    return error instanceof UsageError ? exitCodes.wrongUsage : exitCodes.failed;
  }
  io.stderr(
    `regshift: unexpected error, please report it: ${error instanceof Error ? error.stack : error}\n`,
  );
  return exitCodes.failed;
}

/** Words an error for people. */
function messageOf(error: Error, options: GivenOptions, { loginFiles }: Io): string {
  if (error instanceof RegistryError || error instanceof ConversionError) {
    return errorText(error, 'registry', options, loginFiles);
  }
  return isOfSystem(error) ? systemErrorText(error) : error.message;
}
