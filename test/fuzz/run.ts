import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { orEnd, readNames, readNumber, readOptions } from '../support/options.ts';
import { addToCorpus } from './corpus.ts';
import { textTargets } from './texts.ts';
import type { Finding, Order, Report } from './worker.ts';

/**
 * Feeds broken documents to the converters, and broken texts to all readers of `texts.ts`, for a given time: headers,
 * paths, logins, claims, settings, rules, queries of the page, notifications, lists and errors of registries, entries of
 * caches, and layers. Every error must be one for a client, every document that a converter writes must be readable
 * again, and the rule of each reader must hold. A finding is a file in `test/fuzz/cases/`, which a test then runs. With
 * `--keep`, texts that took a new way in their reader join `test/fuzz/corpus/`, the seeds of later runs.
 *
 *     npm run fuzz -- --seconds 60 [--seed 1] [--workers 2] [--only page,variable] [--keep]
 */
const { seconds, seed, workers, only, keepsTexts } = orEnd(() => {
  const values = readOptions({
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    workers: { type: 'string', default: String(Math.min(availableParallelism(), 8)) },
    only: { type: 'string' },
    keep: { type: 'boolean', default: false },
  });
  return {
    seconds: readNumber('seconds', values.seconds, 1),
    seed: readNumber('seed', values.seed),
    workers: Math.round(readNumber('workers', values.workers, 1)),
    only: values.only === undefined ? undefined : readNames('only', values.only, Object.keys(textTargets)),
    keepsTexts: values.keep,
  };
});

function work(order: Order): Promise<Report> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: order });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`a worker ended with ${code}`)));
  });
}

function keep({ reader, message, bytes }: Finding): string {
  const folder = join(import.meta.dirname, 'cases');
  mkdirSync(folder, { recursive: true });
  const mark = createHash('sha256').update(bytes).digest('hex').slice(0, 12);
  const name = reader === 'document' ? `${mark}.case` : `${reader}.${mark}.case`;
  writeFileSync(join(folder, name), bytes);
  return `${name}: ${message}`;
}

console.log(`fuzzing for ${seconds} s with seed ${seed} on ${workers} workers`);
const started = performance.now();
const reports = await Promise.all(
  Array.from({ length: workers }, (_, at) => work({ seed: seed + at, seconds, only })),
);
const took = (performance.now() - started) / 1000;
const total = reports.reduce((sum, { documents }) => sum + documents, 0);
const ends: Record<string, number> = {};
for (const report of reports) {
  for (const [end, count] of Object.entries(report.ends)) ends[end] = (ends[end] ?? 0) + count;
}
const slowest = Math.max(...reports.map((report) => report.slowest));
const texts = reports.reduce((sum, report) => sum + report.texts, 0);
console.log(`${texts} texts, and`);
console.log(`${total} documents in ${took.toFixed(0)} s (${Math.round(total / took)} a second)`);
console.log(`the slowest took ${slowest.toFixed(0)} ms of CPU`);
for (const [end, count] of Object.entries(ends).sort(([, left], [, right]) => right - left)) {
  console.log(`  ${end}: ${count}`);
}
const discovered = reports.flatMap((report) => Object.entries(report.discovered));
console.log(`${discovered.flatMap(([, found]) => found).length} texts took a new way in their reader`);
if (keepsTexts) for (const [reader, found] of discovered) addToCorpus(reader, found);
const findings = reports.flatMap((report) => report.findings);
for (const finding of findings) console.error(`\nFOUND, kept as test/fuzz/cases/${keep(finding)}`);
process.exitCode = findings.length > 0 ? 1 : 0;
