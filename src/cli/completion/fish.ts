import type { CompletedCommand, CompletedOption, Suggestion } from './table.ts';

/** Writes the completion script for fish. */
export function fishCompletion(commands: readonly CompletedCommand[]): string {
  const lines = commands.flatMap((command) => linesOf([], command));
  return `# fish completion for regshift: regshift completion fish | source
# The words before the one to complete begin with these. They are only these, if the first argument is --only.
function __regshift_words
  set -l words (commandline -opc)
  set -e words[1]
  if test "$argv[1]" = --only
    set -e argv[1]
    test (count $words) -eq (count $argv); or return 1
  end
  set -l at 0
  for word in $argv
    set at (math $at + 1)
    test "$words[$at]" = $word; or return 1
  end
end
complete -c regshift -f
${lines.join('\n')}
`;
}

/** @param above the names of the commands that it is below. */
function linesOf(
  above: readonly string[],
  { name, summary, options, argument, commands }: CompletedCommand,
): string[] {
  const words = [...above, name];
  const inside = (only: boolean) =>
    `complete -c regshift -n '__regshift_words ${[...(only ? ['--only'] : []), ...words].join(' ')}'`;
  const isGroup = commands.length > 0;
  return [
    `complete -c regshift -n '__regshift_words ${['--only', ...above].join(' ')}' -a ${name} -d ${quoted(summary)}`,
    ...(isGroup || argument.kind === 'none' ? [] : [`${inside(false)} ${values(argument)}`]),
    ...options.map((option) => `${inside(isGroup)} ${optionText(option)}`),
    ...commands.flatMap((command) => linesOf(words, command)),
  ];
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
