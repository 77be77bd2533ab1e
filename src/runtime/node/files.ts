import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseDocument } from 'yaml';

/** @param beside the file in which the path stands: it may be relative to that. @throws the system's error. */
export function readFile(path: string, beside?: string): string {
  return readFileSync(beside === undefined ? path : resolve(dirname(beside), path), 'utf8');
}

/** YAML 1.2, and with it JSON. @throws Error with the place, and nothing of the text: it may hold secrets. */
export function parseYaml(text: string): unknown {
  const document = parseDocument(text, { prettyErrors: true });
  const [error] = document.errors;
  if (error === undefined) return document.toJS({ maxAliasCount: 100 });
  const [at] = error.linePos ?? [];
  const where = at ? `line ${at.line}, column ${at.col}` : 'somewhere';
  throw new Error(`${where} is wrong (${error.code.toLowerCase().replaceAll('_', ' ')})`);
}
