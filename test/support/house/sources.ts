import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

export const root = join(import.meta.dirname, '../../..');

/** One import of one file: types count, and so do dynamic imports. */
export interface Import {
  /** A path below the root of the checkout. */
  readonly from: string;
  /** The same, or the name of a package. */
  readonly to: string;
}

/** The TypeScript files of this project below a folder, as paths below the root. */
export function sourcesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.includes('node_modules/'))
    .map((name) => join(folder, name))
    .sort();
}

/** The program: everything but tests. */
export const program: readonly string[] = [...sourcesBelow('converters'), ...sourcesBelow('src')];

export function textOf(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

export function importsOf(file: string): Import[] {
  const statements =
    /^(?:import|export)\s[^;'"`()=]*?\sfrom '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm;
  const specifiers = [...textOf(file).matchAll(statements)].map(
    (match) => match[1] ?? match[2] ?? match[3] ?? '',
  );
  return specifiers.map((to) => ({
    from: file,
    to: to.startsWith('.') ? relative(root, join(root, dirname(file), to)) : to,
  }));
}

/** All imports of the program. */
export const imports: readonly Import[] = program.flatMap(importsOf);

/** The imports of one file of the program by another. */
export const inside: readonly Import[] = imports.filter(({ to }) => /^(?:src|converters)\//.test(to));
