import { basename } from 'node:path';
import type { ModuleInfo } from 'rolldown';
import { packageOf } from './packages.ts';

/**
 * The parts of a bundle. A module that starts a part is an entry, or the target of an import().
 *
 * A module that one part needs is in the file of the part. A module that several parts need is in the first shared file
 * that fits. The files then have an order in which each imports earlier ones alone: what a module needs, all its parts
 * need too.
 */
export interface Parts {
  /** The parts that several modules start, with these modules. Any other part has the name of its entry, module or package. */
  readonly joined: Readonly<Record<string, RegExp>>;
  /** The files for shared modules. A module fits if each list has one of its parts. */
  readonly shared: readonly (readonly [file: string, ...parts: (readonly string[])[]])[];
}

type InfoOf = (id: string) => ModuleInfo | null;

/**
 * Chooses the file of each module.
 * @param entries the paths of the entries by their names.
 * @returns a function from a module to the name of its file without `.js`; undefined for a module of a part that one
 * module starts, which the bundler puts in the file of that module.
 */
export function chunksOf(
  { joined, shared }: Parts,
  entries: Readonly<Record<string, string>>,
): (id: string, infoOf: InfoOf) => string | undefined {
  const names = new Map(Object.entries(entries).map(([name, path]) => [path, name]));
  const partOf = (start: string) =>
    Object.entries(joined).find(([, modules]) => modules.test(start))?.[0] ??
    names.get(start) ??
    chunkName(start);
  return (id, infoOf) => {
    const parts = new Set(startsOf(id, infoOf).map(partOf));
    const [only] = parts;
    if (parts.size === 1) return only !== undefined && only in joined ? only : undefined;
    return shared.find(([, ...lists]) => lists.every((list) => list.some((part) => parts.has(part))))?.[0];
  };
}

/** The entries, and the targets of an import(), that load a module. */
function startsOf(id: string, infoOf: InfoOf): string[] {
  const seen = new Set([id]);
  const starts: string[] = [];
  for (const each of seen) {
    const info = infoOf(each);
    if (info === null) throw new Error(`the bundler does not know ${each}`);
    if (info.isEntry || info.dynamicImporters.length > 0) starts.push(each);
    for (const importer of info.importers) seen.add(importer);
  }
  return starts;
}

/** The name of the file that a module starts: that of its package, or its own. That of `@redis/client` is `redis-client`. */
export function chunkName(id: string): string {
  const ofPackage = packageOf(id)?.name.replace(/^@/, '').replaceAll('/', '-').replace(/\.js$/, '');
  return ofPackage ?? basename(id).replace(/\.[jt]s$/, '');
}
