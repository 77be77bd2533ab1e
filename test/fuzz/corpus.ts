import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, 'corpus');

/** Texts that the corpus has at most for each reader, and the most characters of one. */
const most = 60;
const longest = 600;

/** Texts of earlier runs that took a new way in a reader. */
export function corpusOf(target: string): readonly string[] {
  const file = fileOf(target);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as string[]) : [];
}

/** Adds texts to the corpus of a reader, as far as there is room. JSON keeps lone surrogates. */
export function addToCorpus(target: string, texts: readonly string[]): void {
  const all = [...new Set([...corpusOf(target), ...texts])].filter(({ length }) => length <= longest);
  if (all.length > 0) writeFileSync(fileOf(target), `${JSON.stringify(all.slice(0, most), null, 2)}\n`);
}

function fileOf(target: string): string {
  return join(folder, `${target}.json`);
}
