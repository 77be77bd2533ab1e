import type { Import } from './sources.ts';

/**
 * The layers of the program, the upper ones first. A file imports files of its own folder, and rows below its own;
 * type imports count.
 */
export const storeys: readonly (readonly string[])[] = [
  ['cli'],
  ['runtime'],
  ['compose'],
  ['app'],
  ['http'],
  ['registry', 'config'],
  ['layers', 'auth'],
  ['upstream'],
  ['cache'],
  ['client-state', 'negotiation', 'routing', 'sample-registry'],
  ['concurrency', 'request'],
  ['observability', 'errors', 'version', 'compile-cache', 'byte-collector'],
  ['clock', 'converters', 'bare-host', 'byte-text', 'counted', 'edit-distance', 'listed-parts'],
];

/** A folder of `src`, a file directly in it, or `converters`. */
export function folderOf(file: string): string {
  const [top = '', folder = ''] = file.split('/');
  if (top !== 'src') return top;
  return folder.replace(/\.[jt]s$/, '');
}

/** The row of a file; -1 for a file that has none. */
export function storeyOf(file: string): number {
  return storeys.findIndex((folders) => folders.includes(folderOf(file)));
}

/** Imports of another folder that do not point down. */
export function upwardImports(imports: readonly Import[]): Import[] {
  return imports.filter(({ from, to }) => folderOf(from) !== folderOf(to) && storeyOf(to) <= storeyOf(from));
}

/** Every file of a circle of imports. */
export function circles(imports: readonly Import[]): string[] {
  const targets = new Map<string, Set<string>>();
  for (const { from, to } of imports) targets.set(from, (targets.get(from) ?? new Set()).add(to));
  // Files that lead to no circle are removed until none is left to remove.
  for (let left = -1; left !== targets.size; ) {
    left = targets.size;
    for (const [file, own] of targets) if (![...own].some((to) => targets.has(to))) targets.delete(file);
  }
  const imported = new Set([...targets.values()].flatMap((own) => [...own]));
  return [...targets.keys()].filter((file) => imported.has(file));
}
