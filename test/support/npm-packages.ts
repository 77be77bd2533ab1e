import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { reasonToSkip } from './programs.ts';

/** The package whose dependencies are registry clients from npm. No other package of this repository needs them. */
const folder = join(import.meta.dirname, '../peers');

/** Loads a client: it has no types here, because type checks run without it. */
export const loadPackage = createRequire(join(folder, 'package.json'));

/** The directory of an installed package. */
export function packageFolder(name: string): string {
  return join(folder, 'node_modules', name);
}

/** As `requirePeers`, for packages of `test/peers/package.json`. */
export function requirePackages(...names: readonly string[]): string | undefined {
  const missing = names.filter((name) => !existsSync(join(packageFolder(name), 'package.json')));
  return reasonToSkip(missing, 'npm ci --prefix test/peers');
}
