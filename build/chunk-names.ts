import { basename } from 'node:path';
import type { Metafile } from 'esbuild';
import type { PackedFile } from './bundle.ts';
import { packageOf } from './packages.ts';

type Output = Metafile['outputs'][string];

/** The name that esbuild gives to a file that it splits off, with `chunkNames: '[name]-[hash]'`. */
const splitOff = /-[A-Z0-9]{8}\.js$/;

/**
 * Gives each file that esbuild split off a name for people, in place of one with a hash: that of the module which the
 * program loads by it, otherwise that of the module, package or folder with most of its bytes.
 * @param texts the files by the names that esbuild gave them.
 */
export function nameChunks(texts: ReadonlyMap<string, string>, { outputs }: Metafile): PackedFile[] {
  const names = new Map(Object.keys(outputs).flatMap((path) => (splitOff.test(path) ? [] : [[path, path]])));
  // Files that the program loads by an import() get their names first, then the larger ones.
  const ordered = Object.entries(outputs).toSorted(
    ([, a], [, b]) => Number(isLoaded(b)) - Number(isLoaded(a)) || b.bytes - a.bytes,
  );
  for (const [path, output] of ordered) {
    if (!names.has(path)) names.set(path, freeName(namesOf(output), new Set(names.values())));
  }
  return [...texts].map(([path, text]) => ({
    path: names.get(path) ?? path,
    text: text.replace(/"\.\/([^"/]+\.js)"/g, (written, name: string) => {
      const renamed = names.get(name);
      return renamed === undefined ? written : `"./${renamed}"`;
    }),
  }));
}

function isLoaded({ entryPoint }: Output): boolean {
  return entryPoint !== undefined;
}

/** The first name that no other file has, otherwise the first one with a number. */
function freeName(wanted: readonly string[], taken: ReadonlySet<string>): string {
  const files = wanted.map((name) => `${name}.js`);
  const [first = 'shared'] = wanted;
  for (let number = 2; ; number += 1) {
    const free = files.find((name) => !taken.has(name));
    if (free !== undefined) return free;
    files.push(`${first}-${number}.js`);
  }
}

/** A file with more modules than this has the name of a package or folder, and not that of a module. */
const fewModules = 8;

/** Possible names of a file without `.js`, the best one first. */
function namesOf({ entryPoint, inputs }: Output): string[] {
  if (entryPoint !== undefined) return [moduleName(entryPoint)];
  const modules = Object.entries(inputs).map(([path, { bytesInOutput }]) => [path, bytesInOutput] as const);
  const [byModule, byPart] = [moduleName, partName].map((nameOf) => largestFirst(modules, nameOf));
  const names = modules.length > fewModules ? [byPart, byModule] : [byModule, byPart];
  // esbuild's own functions have no module.
  return modules.length === 0 ? ['esbuild'] : names.flatMap((each) => each ?? []);
}

function largestFirst(
  modules: readonly (readonly [path: string, bytes: number])[],
  nameOf: (path: string) => string,
): string[] {
  const sizes = new Map<string, number>();
  for (const [path, bytes] of modules) sizes.set(nameOf(path), (sizes.get(nameOf(path)) ?? 0) + bytes);
  return [...sizes].toSorted(([, a], [, b]) => b - a).map(([name]) => name);
}

/** A module's package, or its own name. */
function moduleName(path: string): string {
  return packageName(path) ?? basename(path).replace(/\.[jt]s$/, '');
}

/** A module's package, or the folder of the program that it is in, like `registry` or `converters`. */
function partName(path: string): string {
  return packageName(path) ?? path.replace(/^src\//, '').replace(/\/.*$/, '');
}

/** The name of a module's package as a file's: that of `@redis/client` is `redis-client`. */
function packageName(path: string): string | undefined {
  return packageOf(path)?.name.replace(/^@/, '').replaceAll('/', '-').replace(/\.js$/, '');
}
