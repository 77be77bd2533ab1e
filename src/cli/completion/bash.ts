import type { CompletedCommand, Suggestion } from './table.ts';

/** Writes the completion script for bash 4 and later. */
export function bashCompletion(commands: readonly CompletedCommand[]): string {
  const groups = commands.filter((command) => command.commands.length > 0);
  const all = [...commands, ...groups.flatMap(commandsOf)];
  const values = all.flatMap(({ name, options }) =>
    options.flatMap(({ flags, value }) =>
      value ? [`    ${flags.map((flag) => `'${name} ${flag}'`).join('|')}) ${reply(value)}; return ;;`] : [],
    ),
  );
  const words = all.map(({ name, options, argument }) => {
    const flags = options.flatMap((option) => option.flags).join(' ');
    return `    '${name}') if [[ $word == -* ]]; then ${wordsReply(flags)}; else ${reply(argument)}; fi ;;`;
  });
  return `# bash completion for regshift: source <(regshift completion bash)
_regshift() {
  local word=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} command=\${COMP_WORDS[1]}
  # bash makes a word of the = in --option=value.
  if [[ $word == = ]]; then word=; elif [[ $previous == = ]]; then previous=\${COMP_WORDS[COMP_CWORD - 2]}; fi
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    ${wordsReply(`${commands.map(({ name }) => name).join(' ')} --help --version`)}
    return
  fi
  # The name of a command below another one is two words.
  case $command in ${groups.map(({ name }) => name).join('|')}) ((COMP_CWORD > 2)) && command+=" \${COMP_WORDS[2]}" ;; esac
  case "$command $previous" in
${values.join('\n')}
  esac
  case $command in
${words.join('\n')}
  esac
}
complete -F _regshift regshift
`;
}

/** The commands below another one, by their whole names, like `store info`. */
function commandsOf({ name, commands }: CompletedCommand): CompletedCommand[] {
  return commands.map((command) => ({ ...command, name: `${name} ${command.name}` }));
}

function reply(suggestion: Suggestion): string {
  switch (suggestion.kind) {
    case 'words':
      return wordsReply(suggestion.words.join(' '));
    case 'files':
      return `compopt -o filenames 2> /dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$word")`;
    case 'none':
      return ':';
  }
}

function wordsReply(words: string): string {
  return `mapfile -t COMPREPLY < <(compgen -W '${words}' -- "$word")`;
}
