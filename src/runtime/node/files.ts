import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';

/**
 * @param beside the file that contains the path; a relative path is relative to it.
 * @throws the system's error.
 */
export function readFile(path: string, beside?: string): string {
  return readFileSync(beside === undefined ? path : resolve(dirname(beside), path), 'utf8');
}

const load = createRequire(import.meta.url);

/**
 * Parses YAML 1.2, which includes JSON.
 * @throws Error with the position, and without the text, which may contain secrets.
 */
export function parseYaml(text: string): unknown {
  // Loaded for a file only: the parser takes ten megabytes.
  const { parseDocument } = load('yaml') as typeof import('yaml');
  const document = parseDocument(text, { prettyErrors: true });
  const [error] = document.errors;
  if (error === undefined) return document.toJS({ maxAliasCount: 100 });
  const [at] = error.linePos ?? [];
  const where = at ? `line ${at.line}, column ${at.col}` : 'somewhere';
  throw new Error(`${where} is wrong (${error.code.toLowerCase().replaceAll('_', ' ')})`);
}
