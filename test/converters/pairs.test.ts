import { describe, expect, it } from 'vitest';
import { digestOf, readManifest } from '../../converters/index.ts';
import { frozenOutcome, pairNames, storedPair } from '../support/converters/golden-pairs.ts';
import { outcomeFiles, targets } from '../support/converters/outcomes.ts';

const text = (bytes: Uint8Array | undefined) => bytes && new TextDecoder().decode(bytes);

/** Compares with the frozen files in `test/golden/pairs`; `test/support/converters/write-pairs.ts` writes them. */
describe.each(pairNames())('%s', (name) => {
  const stored = storedPair(name);

  it.each(targets)('converts to %s with the frozen bytes', async (target) => {
    const made = await outcomeFiles(stored, target);
    const frozen = frozenOutcome(name, target);
    expect([...made.keys()].sort()).toEqual([...frozen.keys()].sort());
    for (const [path, bytes] of made) expect(text(bytes), path).toBe(text(frozen.get(path)));
  });

  it('has the right digest for each document', () => {
    for (const [digest, bytes] of stored.documents) {
      const signed = text(bytes)?.includes('"signatures"');
      expect(signed ? readManifest(bytes).source.digest : digestOf(bytes)).toBe(digest);
    }
  });
});

describe('the pairs', () => {
  const outcomes = pairNames().flatMap((name) => targets.map((target) => ({ name, target })));
  const summaries = outcomes.map(({ name, target }) => ({
    ...(JSON.parse(text(frozenOutcome(name, target).get(`${target}.summary.json`)) ?? '{}') as {
      refused?: object;
      losses?: { kind: string }[];
    }),
    from: readSafely(storedPair(name)),
    target,
  }));

  it.each([
    ...['generic', 'schema1', 'schema2', 'oci'].flatMap((from) =>
      targets.map((target) => [from, target] as const),
    ),
  ])('include an image of %s that converts to %s', (from, target) => {
    const found = summaries.filter((each) => each.from === `${from} image` && each.target === target);
    expect(found.filter(({ refused }) => !refused).length).toBeGreaterThan(0);
  });

  it.each([
    ...['generic', 'schema2', 'oci'].flatMap((from) =>
      (['schema2', 'oci', 'generic'] as const).map((target) => [from, target] as const),
    ),
  ])('include an index of %s that converts to %s', (from, target) => {
    const found = summaries.filter((each) => each.from === `${from} index` && each.target === target);
    expect(found.filter(({ refused }) => !refused).length).toBeGreaterThan(0);
  });
});

function readSafely({ documents, root }: ReturnType<typeof storedPair>): string {
  try {
    const model = readManifest(documents.get(root) ?? new Uint8Array());
    return `${model.source.dialect} ${model.kind}`;
  } catch {
    return 'none';
  }
}
