import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const golden = join(import.meta.dirname, '../golden');

/** The small documents of the golden files: the fuzzer breaks them, and finds them by digest. */
export function seedDocuments(): Uint8Array[] {
  return readdirSync(golden, { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile() && each.name.endsWith('.json') && !isBookkeeping(each.name))
    .map((each) => new Uint8Array(readFileSync(join(each.parentPath, each.name))))
    .filter((bytes) => bytes.length < 20_000);
}

function isBookkeeping(name: string): boolean {
  return name === 'case.json' || name === 'index.json' || name.endsWith('.summary.json');
}
