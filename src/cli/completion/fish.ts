import type { CompletedCommand, CompletedOption, Suggestion } from './table.ts';

/** Writes the completion script for fish. */
export function fishCompletion(commands: readonly CompletedCommand[]): string {
  const lines = commands.flatMap(({ name, summary, options, argument }) => {
    const inside = `complete -c regshift -n '__fish_seen_subcommand_from ${name}'`;
    return [
      `complete -c regshift -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`,
      ...(argument.kind === 'none' ? [] : [`${inside} ${values(argument)}`]),
      ...options.map((option) => `${inside} ${optionText(option)}`),
    ];
  });
  return `# fish completion for regshift: regshift completion fish | source
complete -c regshift -f
${lines.join('\n')}
`;
}

function optionText({ flags, description, value }: CompletedOption): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  const parts = [...names, '-d', quoted(description)];
  // -x: the option requires a value, and no file is one.
  if (value) parts.push(value.kind === 'none' ? '-x' : `-r ${values(value)}`);
  return parts.join(' ');
}

function values(suggestion: Suggestion): string {
  switch (suggestion.kind) {
    case 'words':
      return `-f -a ${quoted(suggestion.words.join(' '))}`;
    case 'files':
      return '-F';
    case 'none':
      return '-f';
  }
}

function quoted(text: string): string {
  return `'${text.replace(/['\\]/g, (character) => `\\${character}`)}'`;
}
