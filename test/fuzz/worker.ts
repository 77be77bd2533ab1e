import { parentPort, workerData } from 'node:worker_threads';
import { digestOf, generateSigningKey } from '../../converters/index.ts';
import { examine, type World } from './examine.ts';
import { generate } from './generate.ts';
import { encodeUtf16, generateText } from './generate-text.ts';
import { Random } from './random.ts';
import { seedDocuments } from './seeds.ts';
import { textTargets } from './texts.ts';

export interface Order {
  readonly seed: number;
  readonly seconds: number;
}

export interface Finding {
  /** The reader: `document`, or the name of a target in `texts.ts`. */
  readonly reader: string;
  readonly message: string;
  readonly bytes: Uint8Array;
}

export interface Report {
  readonly documents: number;
  readonly texts: number;
  /** The number of documents by result. */
  readonly ends: Readonly<Record<string, number>>;
  readonly slowest: number;
  readonly findings: readonly Finding[];
}

/** A document or text that takes longer than this, in milliseconds, is a finding too. */
const patience = 2_000;
const enough = 10;

async function run({ seed, seconds }: Order): Promise<Report> {
  const random = new Random(seed);
  const seeds = seedDocuments();
  const documents = new Map(seeds.map((bytes) => [digestOf(bytes) as string, bytes]));
  const world: World = { documents, key: await generateSigningKey() };
  const readers = Object.entries(textTargets);
  const until = performance.now() + seconds * 1000;
  const ends: Record<string, number> = {};
  const findings = new Map<string, Finding>();
  let [documentsRead, textsRead, slowest] = [0, 0, 0];

  async function watch(reader: string, bytes: Uint8Array, work: () => Promise<string>): Promise<void> {
    const start = performance.now();
    const end = await work().catch((error: unknown) => {
      findings.set(`${reader} ${keyOf(error)}`, { reader, message: describe(error), bytes });
      return 'FOUND';
    });
    const took = performance.now() - start;
    slowest = Math.max(slowest, took);
    if (took > patience) {
      findings.set(`${reader} slow`, { reader, message: `took ${Math.round(took)} ms`, bytes });
    }
    ends[end] = (ends[end] ?? 0) + 1;
  }

  while (performance.now() < until && findings.size < enough) {
    const bytes = generate(random, seeds);
    await watch('document', bytes, () => examine(bytes, world, random));
    documentsRead += 1;
    for (const [reader, { seeds: texts, check }] of readers) {
      const text = generateText(random, texts);
      await watch(reader, encodeUtf16(text), async () => {
        await check(text);
        return 'text';
      });
      textsRead += 1;
    }
  }
  return { documents: documentsRead, texts: textsRead, ends, slowest, findings: [...findings.values()] };
}

/** Keeps one finding for each place in the code. */
function keyOf(error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return stack.split('\n').slice(1, 4).join('\n');
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return `${error.stack ?? error.message}${error.cause ? `\ncaused by ${describe(error.cause)}` : ''}`;
}

parentPort?.postMessage(await run(workerData as Order));
