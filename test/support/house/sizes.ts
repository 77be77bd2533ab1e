import { inside, program, textOf } from './sources.ts';

/** Files that a runtime starts by their name. */
const entries = [
  'converters/index.ts',
  'src/start.js',
  'src/cli.ts',
  'src/runtime/web/index.ts',
  'src/runtime/worker/entry.ts',
  'src/runtime/node/password-thread.ts',
];

const mostLines = 30;

/** Files of 30 lines or less that have fewer than two importers: each belongs into its one importer. */
export function lonelyFiles(): string[] {
  return program.filter((file) => {
    if (entries.includes(file) || textOf(file).split('\n').length - 1 > mostLines) return false;
    return new Set(inside.filter(({ to }) => to === file).map(({ from }) => from)).size < 2;
  });
}

/** Files more than three folders deep, below `src` or in `converters`. */
export function deepFiles(): string[] {
  return program.filter((file) => file.split('/').length - 1 - (file.startsWith('src/') ? 1 : 0) > 3);
}
