import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './bundle.ts';

/** A package of which a part is in the bundle. */
export interface BundledPackage {
  /** The key in package-lock.json, like `node_modules/hono`. */
  readonly path: string;
  readonly name: string;
  readonly version: string;
  /** An SPDX expression. */
  readonly license: string;
  /** As in package-lock.json: `sha512-` and base64. */
  readonly integrity: string;
  /** The bundled packages that it needs, by their paths. */
  readonly needs: readonly string[];
}

interface LockedPackage {
  readonly version?: string;
  readonly license?: string;
  readonly integrity?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** The package that a module belongs to; undefined for a module of this project. */
export function packageOf(module: string): { readonly path: string; readonly name: string } | undefined {
  const [, path, name] = /^(.*node_modules\/((?:@[^/]+\/)?[^/]+))\//.exec(module) ?? [];
  return path && name ? { path, name } : undefined;
}

/**
 * Finds the packages of these modules in package-lock.json.
 * @param modules paths below the root of the project.
 * @returns them by name.
 * @throws Error if the lock file lacks a fact about one.
 */
export function packagesOf(modules: readonly string[]): BundledPackage[] {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, LockedPackage>>;
  };
  const names = new Map(
    modules.flatMap((module) => packageOf(module) ?? []).map(({ path, name }) => [path, name]),
  );
  return [...names]
    .map(([path, name]) => {
      const { version, license, integrity, dependencies = {} } = lock.packages[path] ?? {};
      if (!version || !license || !integrity) {
        throw new Error(`package-lock.json lacks the version, license or integrity of ${path}`);
      }
      const needs = Object.keys(dependencies).flatMap((each) => placeOf(each, path, names) ?? []);
      return { path, name, version, license, integrity, needs };
    })
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** Finds a package as Node does for a module of another one: in its own `node_modules`, then further out. */
function placeOf(name: string, from: string, known: ReadonlyMap<string, string>): string | undefined {
  const path = `${from}/node_modules/${name}`;
  if (known.has(path)) return path;
  const outer = from.lastIndexOf('/node_modules/');
  if (outer !== -1) return placeOf(name, from.slice(0, outer), known);
  return known.has(`node_modules/${name}`) ? `node_modules/${name}` : undefined;
}

/** The texts of the licence files of a package, and of its notices. */
export function licenceTexts({ path }: Pick<BundledPackage, 'path'>): string[] {
  const folder = join(root, path);
  return readdirSync(folder)
    .filter((name) => /^(?:licen[cs]e|copying|notice)/i.test(name))
    .toSorted()
    .map((name) => readFileSync(join(folder, name), 'utf8').trim());
}
