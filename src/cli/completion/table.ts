import type { Command, Option } from '@commander-js/extra-typings';
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
  /** The suggestion for its arguments. */
  readonly argument: Suggestion;
}

/** Names of values, as help shows them, that are paths. */
const paths: ReadonlySet<string> = new Set(['file', 'dir', 'path', 'manifest']);

/** Reads the commands and options from the declarations that `--help` prints. */
export function completionTable(program: Command): readonly CompletedCommand[] {
  const commands = program.createHelp().visibleCommands(program);
  const names = commands.map((command) => command.name());
  return commands.map((command) => {
    const [argument] = command.registeredArguments;
    // `help` takes the name of a command.
    const isHelp = command.name() === 'help';
    return {
      name: command.name(),
      summary: command.summary() || command.description(),
      options: command.createHelp().visibleOptions(command).map(optionOf),
      argument: isHelp
        ? { kind: 'words', words: names }
        : argument
          ? suggestionFor(argument.name(), argument.argChoices)
          : { kind: 'none' },
    };
  });
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
