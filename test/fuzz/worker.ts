import { parentPort, workerData } from 'node:worker_threads';
import { digestOf, generateSigningKey } from '../../converters/index.ts';
import { examine, type World } from './examine.ts';
import { generate } from './generate.ts';
import { encodeUtf16, generateText } from './generate-text.ts';
import { Random } from './random.ts';
import { seedDocuments } from './seeds.ts';
import type { TextTarget } from './text-target.ts';
import { textTargets } from './texts.ts';

export interface Order {
  readonly seed: number;
  readonly seconds: number;
  /** The readers of texts to feed; all readers by default. */
  readonly only?: readonly string[] | undefined;
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
  /** Texts that took a new way in their reader, by reader. */
  readonly discovered: Readonly<Record<string, readonly string[]>>;
}

/** A document or text that takes more CPU than this, in milliseconds, is a finding too. */
const patience = 2_000;
const enough = 10;
/** Texts that a run makes others of, for each reader. */
const mostSeeds = 300;

/** A reader with the ways that it has taken in this run. */
interface Reader {
  readonly name: string;
  readonly target: TextTarget;
  readonly ways: Set<string>;
  readonly seeds: string[];
  readonly discovered: string[];
}

async function readerOf(name: string, target: TextTarget): Promise<Reader> {
  const ways = new Set<string>();
  // A rule that does not hold for a seed is a finding of the test of all seeds.
  for (const text of target.seeds) ways.add(await wayOf(target, text).catch(() => ''));
  return { name, target, ways, seeds: [...target.seeds], discovered: [] };
}

async function wayOf({ check }: TextTarget, text: string): Promise<string> {
  const way = await check(text);
  return typeof way === 'string' ? way : '';
}

async function run({ seed, seconds, only }: Order): Promise<Report> {
  const random = new Random(seed);
  const seeds = seedDocuments();
  const documents = new Map(seeds.map((bytes) => [digestOf(bytes) as string, bytes]));
  const world: World = { documents, key: await generateSigningKey() };
  const chosen = Object.entries(textTargets).filter(([name]) => only === undefined || only.includes(name));
  const readers: Reader[] = [];
  for (const [name, target] of chosen) readers.push(await readerOf(name, target));
  const until = performance.now() + seconds * 1000;
  const ends: Record<string, number> = {};
  const findings = new Map<string, Finding>();
  let [documentsRead, textsRead, slowest] = [0, 0, 0];

  async function watch(reader: string, bytes: Uint8Array, work: () => Promise<string>): Promise<void> {
    const start = process.threadCpuUsage();
    const end = await work().catch((error: unknown) => {
      findings.set(`${reader} ${keyOf(error)}`, { reader, message: describe(error), bytes });
      return 'FOUND';
    });
    const { user, system } = process.threadCpuUsage(start);
    const took = (user + system) / 1000;
    slowest = Math.max(slowest, took);
    if (took > patience) {
      findings.set(`${reader} slow`, { reader, message: `took ${Math.round(took)} ms of CPU`, bytes });
    }
    ends[end] = (ends[end] ?? 0) + 1;
  }

  while (performance.now() < until && findings.size < enough) {
    if (only === undefined) {
      const bytes = generate(random, seeds);
      await watch('document', bytes, () => examine(bytes, world, random));
      documentsRead += 1;
    }
    for (const { name, target, ways, seeds: texts, discovered } of readers) {
      const text = (target.generate ?? generateText)(random, texts);
      await watch(name, encodeUtf16(text), async () => {
        const way = await wayOf(target, text);
        if (!ways.has(way)) {
          ways.add(way);
          discovered.push(text);
          if (texts.length < mostSeeds && text.length < 10_000) texts.push(text);
        }
        return 'text';
      });
      textsRead += 1;
    }
  }
  const discovered = Object.fromEntries(readers.map((reader) => [reader.name, reader.discovered]));
  return {
    ...{ documents: documentsRead, texts: textsRead, ends, slowest, discovered },
    findings: [...findings.values()],
  };
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
