import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { conversionMatrix } from '../../../converters/conversion-matrix.ts';

/** The file that `npm run converters:matrix` writes the conversion graph to. */
export const readme = join(import.meta.dirname, '../../../converters/README.md');

const part = /(<!-- matrix -->\n)[\s\S]*?(<!-- \/matrix -->)/;

/** Replaces the matrix in the text of the README by the current one. */
export function withMatrix(text: string): string {
  if (!part.test(text)) throw new Error('converters/README.md has no place for the matrix');
  return text.replace(part, (_, start: string, end: string) => `${start}\n${conversionMatrix()}\n\n${end}`);
}

if (process.argv[1] === import.meta.filename) {
  writeFileSync(readme, withMatrix(readFileSync(readme, 'utf8')));
}
