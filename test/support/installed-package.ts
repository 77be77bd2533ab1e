import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from './wrangler.ts';

const execute = promisify(execFile);

/** Runs npm. @returns its output. */
async function npm(cwd: string, ...argv: string[]): Promise<string> {
  const { stdout } = await execute('npm', argv, { cwd, env: npmEnvironment(), maxBuffer: 16 * 1024 * 1024 });
  return stdout;
}

/**
 * The environment without the variables of a surrounding `npm test`, which would name this project as the one to work
 * on.
 */
export function npmEnvironment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(npm_|INIT_CWD|NODE_ENV|VITEST)/.test(name));
  return {
    ...Object.fromEntries(own),
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_update_notifier: 'false',
  };
}

/**
 * Builds and packs the project, and installs the package into an empty folder, as a user does. npm has no registry and
 * no cache: the package needs no other.
 * @returns the paths in the package.
 */
export async function installPackage(folder: string): Promise<string[]> {
  const compressed = join(folder, 'packed');
  mkdirSync(compressed);
  await npm(projectRoot, 'run', 'build');
  const [about] = JSON.parse(
    await npm(projectRoot, 'pack', './dist/package', '--json', '--silent', '--pack-destination', compressed),
  ) as [{ readonly filename: string; readonly files: readonly { readonly path: string }[] }];
  const regshift = `file:${join(compressed, about.filename)}`;
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies: { regshift } }));
  const cache = join(folder, 'npm-cache');
  await npm(folder, 'install', '--offline', '--ignore-scripts', '--cache', cache);
  return about.files.map(({ path }) => path);
}
