import { existsSync, readFileSync } from 'node:fs';
import type { CorpusImage } from './corpus.ts';
import type { CorpusRecord } from './outcomes.ts';

/** The file with the digests of the corpus in each form; `write-digests.ts` writes it. */
export const digestsFile = new URL('../../corpus/digests.json', import.meta.url);

/** The name of an image in that file. */
export const imageKey = ({ tool, name }: CorpusImage): string => `${tool}/${name}`;

/** The frozen records, by the name of the image. */
export function frozenRecords(): Readonly<Record<string, CorpusRecord>> {
  return existsSync(digestsFile) ? JSON.parse(readFileSync(digestsFile, 'utf8')) : {};
}
