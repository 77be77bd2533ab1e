import type { Command, CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import { clientNames } from '../../negotiation/known-clients.ts';

/** The words that a shell offers for a value. */
export type Suggestion =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'files' }
  | { readonly kind: 'none' };

export interface CompletedOption {
  /** All spellings, like `-h` and `--help`. */
  readonly flags: readonly string[];
  readonly description: string;
  /** undefined for an option without a value. */
  readonly value: Suggestion | undefined;
}

export interface CompletedCommand {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly CompletedOption[];
  /** The suggestion for its arguments: the names of its commands, if it has any. */
  readonly argument: Suggestion;
  /** The commands below it, like those of `store`. They have none themselves. */
  readonly commands: readonly CompletedCommand[];
}

/** Names of values, as help shows them, that are paths. */
const paths: ReadonlySet<string> = new Set(['file', 'dir', 'path', 'manifest']);

/** Reads the commands and options from the declarations that `--help` prints. */
export function completionTable(program: Command): readonly CompletedCommand[] {
  const commands = program.createHelp().visibleCommands(program);
  const names = commands.map((command) => command.name());
  return commands.map((command) => completedCommand(command, names));
}

/** @param names the commands beside it, which `help` takes. */
function completedCommand(command: CommandUnknownOpts, names: readonly string[]): CompletedCommand {
  const { commands } = command;
  const below = commands.map((each) => each.name());
  return {
    name: command.name(),
    summary: command.summary() || command.description(),
    options: command.createHelp().visibleOptions(command).map(optionOf),
    argument: argumentOf(command, command.name() === 'help' ? names : below),
    commands: commands.map((each) => completedCommand(each, below)),
  };
}

function argumentOf({ registeredArguments }: CommandUnknownOpts, names: readonly string[]): Suggestion {
  if (names.length > 0) return { kind: 'words', words: names };
  const [argument] = registeredArguments;
  return argument ? suggestionFor(argument.name(), argument.argChoices) : { kind: 'none' };
}

function optionOf({ short, long, description, flags, argChoices }: Option): CompletedOption {
  const [, name] = /[<[]([^>\]]+)/.exec(flags) ?? [];
  return {
    flags: [short, long].flatMap((each) => each ?? []),
    description,
    value: name === undefined ? undefined : suggestionFor(name.replace('...', ''), argChoices),
  };
}

function suggestionFor(name: string, choices: readonly string[] | undefined): Suggestion {
  if (choices) return { kind: 'words', words: choices };
  if (name.includes('|')) return { kind: 'words', words: name.split('|') };
  if (/^clients?$/.test(name)) return { kind: 'words', words: clientNames };
  return { kind: paths.has(name) ? 'files' : 'none' };
}
