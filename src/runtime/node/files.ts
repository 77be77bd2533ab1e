import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';

/** @param beside the file in which the path stands: it may be relative to that. @throws the system's error. */
export function readFile(path: string, beside?: string): string {
  return readFileSync(beside === undefined ? path : resolve(dirname(beside), path), 'utf8');
}

const load = createRequire(import.meta.url);

/** YAML 1.2, and with it JSON. @throws Error with the place, and nothing of the text: it may hold secrets. */
export function parseYaml(text: string): unknown {
  // Not before there is a file: it takes ten megabytes.
  const { parseDocument } = load('yaml') as typeof import('yaml');
  const document = parseDocument(text, { prettyErrors: true });
  const [error] = document.errors;
  if (error === undefined) return document.toJS({ maxAliasCount: 100 });
  const [at] = error.linePos ?? [];
  const where = at ? `line ${at.line}, column ${at.col}` : 'somewhere';
  throw new Error(`${where} is wrong (${error.code.toLowerCase().replaceAll('_', ' ')})`);
}
