import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { digestOf, generateSigningKey } from '../../../converters/index.ts';
import { examine, type World } from '../../fuzz/examine.ts';
import { generate } from '../../fuzz/generate.ts';
import { decodeUtf16, generateText } from '../../fuzz/generate-text.ts';
import { Random } from '../../fuzz/random.ts';
import { seedDocuments } from '../../fuzz/seeds.ts';
import { textTargets } from '../../fuzz/texts.ts';

const folder = join(import.meta.dirname, '../../fuzz/cases');
const all = existsSync(folder) ? readdirSync(folder) : [];
/** File names: `<mark>.case` for a document, `<reader>.<mark>.case` for a text. */
const cases = all.filter((name) => name.split('.').length === 2);
const texts = all.filter((name) => name.split('.').length === 3);

describe('the fuzzer', () => {
  let world: World;
  const seeds = seedDocuments();

  beforeAll(async () => {
    const documents = new Map(seeds.map((bytes) => [digestOf(bytes) as string, bytes]));
    world = { documents, key: await generateSigningKey() };
  });

  /** Earlier findings of `npm run fuzz`, each with several random conversions. */
  test.each(cases)('does not find %s again', async (name) => {
    const bytes = new Uint8Array(readFileSync(join(folder, name)));
    for (let seed = 0; seed < 200; seed += 1) await examine(bytes, world, new Random(seed));
  });

  if (texts.length > 0) {
    test.each(texts)('does not find the text %s again', async (name) => {
      const target = textTargets[name.split('.', 1)[0] ?? ''];
      const started = performance.now();
      await target?.check(decodeUtf16(new Uint8Array(readFileSync(join(folder, name)))));
      expect(target).toBeDefined();
      expect(performance.now() - started).toBeLessThan(1_000);
    });
  }

  test.each(Object.entries(textTargets))('finds nothing in five hundred texts for %s', async (_, target) => {
    const random = new Random(43);
    for (const seed of target.seeds) await target.check(seed);
    for (let count = 0; count < 500; count += 1)
      await target.check((target.generate ?? generateText)(random, target.seeds));
  });

  test('finds nothing in a thousand documents', async () => {
    const random = new Random(42);
    const ends = new Map<string, number>();
    for (let count = 0; count < 1_000; count += 1) {
      const end = await examine(generate(random, seeds), world, random);
      ends.set(end, (ends.get(end) ?? 0) + 1);
    }
    // The generator is useful only if its documents get past the JSON parser.
    for (const end of ['converted', 'INVALID', 'UNREADABLE', 'AMBIGUOUS'])
      expect(ends.get(end), end).toBeGreaterThan(5);
  });

  test('takes the seeds themselves', async () => {
    const ends = new Set<string>();
    for (const bytes of seeds) ends.add(await examine(bytes, world, new Random(1)));
    expect(ends).toContain('converted');
  });

  test('tells an error that is not coded', async () => {
    const fault = new TypeError('a bug');
    const documents = { get: () => Promise.reject(fault) } as unknown as World['documents'];
    const ends = seeds.map((bytes) =>
      examine(bytes, { ...world, documents }, new Random(2)).catch((error: unknown) => error),
    );
    expect(await Promise.all(ends)).toContain(fault);
  });
});
