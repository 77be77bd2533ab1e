/**
 * The project's public address, which `repository` in package.json has for all files.
 *
 *     node test/support/release/address.ts                                  prints it
 *     node test/support/release/address.ts https://github.com/acme/regshift  fills it in everywhere
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(import.meta.dirname, '../../..');

/** The address until the project has one. */
export const placeholder = 'https://github.com/OWNER/regshift';

/** The parts of package.json that a release is made from. */
export interface PackageFile {
  readonly version: string;
  readonly repository: { readonly url: string };
}

export function readPackageFile(): PackageFile {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as PackageFile;
}

/** The address in package.json, as people open it in a browser. */
export function projectAddress({ repository }: PackageFile = readPackageFile()): string {
  return repository.url.replace(/^git\+/, '').replace(/\.git$/, '');
}

/** The files of the project that name its address, or its owner as GitHub's `uses:` does. */
export function filesWithAddress(address = projectAddress()): string[] {
  const named = address.replace('https://github.com/', '');
  const found = execFileSync('git', ['grep', '-lF', named, '--', ':!test/**'], {
    cwd: root,
    encoding: 'utf8',
  });
  return found.trim().split('\n');
}

/** Writes another address into all files. @throws Error if it is not like `https://github.com/acme/regshift`. */
function fillIn(address: string): void {
  if (!/^https:\/\/github\.com\/[\w.-]+\/[\w.-]+$/.test(address)) {
    throw new Error(`${address} is not an address like https://github.com/acme/regshift`);
  }
  const [old, own] = [projectAddress(), address].map((each) => each.replace('https://github.com/', ''));
  for (const file of filesWithAddress()) {
    const path = join(root, file);
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll(old ?? '', own ?? ''));
    console.log(file);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [address] = process.argv.slice(2);
  if (address === undefined) console.log(projectAddress());
  else fillIn(address);
}
