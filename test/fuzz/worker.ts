import { parentPort, workerData } from 'node:worker_threads';
import { digestOf, generateSigningKey } from '../../converters/index.ts';
import { examine, type World } from './examine.ts';
import { generate } from './generate.ts';
import { Random } from './random.ts';
import { seedDocuments } from './seeds.ts';

export interface Order {
  readonly seed: number;
  readonly seconds: number;
}

export interface Finding {
  readonly message: string;
  readonly bytes: Uint8Array;
}

export interface Report {
  readonly documents: number;
  /** How many documents came to which end. */
  readonly ends: Readonly<Record<string, number>>;
  readonly slowest: number;
  readonly findings: readonly Finding[];
}

/** Longer than this for one document, in milliseconds, is a finding too. */
const patience = 2_000;
const enough = 10;

async function run({ seed, seconds }: Order): Promise<Report> {
  const random = new Random(seed);
  const seeds = seedDocuments();
  const documents = new Map(seeds.map((bytes) => [digestOf(bytes) as string, bytes]));
  const world: World = { documents, key: await generateSigningKey() };
  const until = performance.now() + seconds * 1000;
  const ends: Record<string, number> = {};
  const findings = new Map<string, Finding>();
  let [count, slowest] = [0, 0];
  while (performance.now() < until && findings.size < enough) {
    const bytes = generate(random, seeds);
    const start = performance.now();
    const end = await examine(bytes, world, random).catch((error: unknown) => {
      findings.set(keyOf(error), { message: describe(error), bytes });
      return 'FOUND';
    });
    const took = performance.now() - start;
    slowest = Math.max(slowest, took);
    if (took > patience) findings.set('slow', { message: `took ${Math.round(took)} ms`, bytes });
    ends[end] = (ends[end] ?? 0) + 1;
    count += 1;
  }
  return { documents: count, ends, slowest, findings: [...findings.values()] };
}

/** One finding for each place in the code. */
function keyOf(error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return stack.split('\n').slice(1, 4).join('\n');
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return `${error.stack ?? error.message}${error.cause ? `\ncaused by ${describe(error.cause)}` : ''}`;
}

parentPort?.postMessage(await run(workerData as Order));
