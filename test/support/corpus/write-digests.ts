import { writeFileSync } from 'node:fs';
import { corpus } from './corpus.ts';
import { digestsFile, frozenRecords, imageKey } from './frozen-records.ts';
import { type CorpusRecord, corpusApp, recordOf } from './outcomes.ts';

/**
 * Writes `test/corpus/digests.json`: the digest of every image of the corpus in each form. People have recorded such
 * digests, so the program adds new images, and does not touch an existing one unless the command line names it.
 *
 *     npm run corpus:digests -- [tool/name …]
 */
const again = new Set(process.argv.slice(2));
const records: Record<string, CorpusRecord> = {};
const frozen = frozenRecords();
const images = await corpus();
const app = corpusApp(images);
for (const image of images) {
  const key = imageKey(image);
  const known = again.has(key) ? undefined : frozen[key];
  records[key] = known ?? (await recordOf(image, app));
}
writeFileSync(digestsFile, `${JSON.stringify(records, null, 1)}\n`);
console.log(`${Object.keys(records).length} images`);
