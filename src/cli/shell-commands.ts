import { Argument, type Command } from '@commander-js/extra-typings';
import { version } from '../version.ts';
import { type Io, printJson, printLines } from './terminal/io.ts';
import { exitCodes } from './usage.ts';

const shells = ['bash', 'zsh', 'fish'] as const;

/** Load the writer of the script for each shell. */
const completionWriters = {
  bash: async () => (await import('./completion/bash.ts')).bashCompletion,
  zsh: async () => (await import('./completion/zsh.ts')).zshCompletion,
  fish: async () => (await import('./completion/fish.ts')).fishCompletion,
} as const;

/** Adds the commands about the program itself. */
export function addShellCommands(program: Command, io: Io, done: (code: number) => void): void {
  addVersion(program, io, done);
  addCompletion(program, io, done);
}

function addVersion(program: Command, io: Io, done: (code: number) => void): void {
  program
    .command('version')
    .summary('print the version')
    .description('Prints the version of regshift; with --json also that of Node, and the platform.')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  regshift version')
    .action(({ json }) => {
      const { platform, arch, version: node } = process;
      if (json) printJson(io, { version, node, platform: `${platform}/${arch}` });
      else printLines(io, [version]);
      done(exitCodes.good);
    });
}

function addCompletion(program: Command, io: Io, done: (code: number) => void): void {
  program
    .command('completion')
    .summary('print a completion script for a shell')
    .description('Prints a script that completes commands, options and their values in a shell.')
    .addArgument(new Argument('<shell>', 'the shell').choices(shells))
    .addHelpText('after', '\nExample:\n  regshift completion bash > /etc/bash_completion.d/regshift')
    .action(async (shell) => {
      const { completionTable } = await import('./completion/table.ts');
      const write = await completionWriters[shell]();
      io.stdout(write(completionTable(program)));
      done(exitCodes.good);
    });
}
