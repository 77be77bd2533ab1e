import type { CompletedCommand, CompletedOption, Suggestion } from './table.ts';

/** Writes the completion script for zsh. */
export function zshCompletion(commands: readonly CompletedCommand[]): string {
  const cases = commands.map((command) =>
    command.commands.length === 0
      ? `    ${command.name}) ${argumentsOf(command)} ;;`
      : `    ${command.name})
      if ((CURRENT == 2)); then
        ${argumentsOf(command)}
        return
      fi
      shift words
      ((CURRENT--))
      case $words[1] in
${command.commands.map((below) => `        ${below.name}) ${argumentsOf(below)} ;;`).join('\n')}
      esac
      ;;`,
  );
  const summaries = commands.map(({ name, summary }) => quoted(`${name}:${summary.replaceAll(':', '\\:')}`));
  return `#compdef regshift
# zsh completion for regshift: source <(regshift completion zsh)
_regshift() {
  local -a commands=(${summaries.join(' ')})
  if ((CURRENT == 2)); then
    _describe command commands
    return
  fi
  shift words
  ((CURRENT--))
  case $words[1] in
${cases.join('\n')}
  esac
}
# zsh runs a file of fpath as the function at the first completion.
if [[ $funcstack[1] == _regshift ]]; then
  _regshift "$@"
else
  compdef _regshift regshift
fi
`;
}

function argumentsOf({ options, argument }: CompletedCommand): string {
  // Without a spec for arguments, zsh completes nothing after the first one. With a message as the action, it lists the
  // options beside an argument, but does not complete them: an empty list of words is the action without a suggestion.
  const ofArgument = argument.kind === 'none' ? 'value:()' : action(argument);
  return ['_arguments', ...options.flatMap(optionSpecs), quoted(`*:${ofArgument}`)].join(' ');
}

function optionSpecs({ flags, description, value }: CompletedOption): string[] {
  const text = description.replace(/[\\[\]:]/g, (character) => `\\${character}`);
  return flags.map((flag) => {
    if (value === undefined) return quoted(`${flag}[${text}]`);
    // A long option has its value after = or a blank.
    return quoted(`*${flag}${flag.startsWith('--') ? '=' : ''}[${text}]:${action(value)}`);
  });
}

/** The message and action of a value. */
function action(suggestion: Suggestion): string {
  switch (suggestion.kind) {
    case 'words':
      return `value:(${suggestion.words.join(' ')})`;
    case 'files':
      return 'value:_files';
    case 'none':
      return 'value: ';
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
