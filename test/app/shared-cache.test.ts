import { describe, expect, it } from 'vitest';
import type { Cache, CacheEntry } from '../../src/cache/cache.ts';
import { isOurs, kindOf } from '../../src/registry/cache-entries.ts';
import { testApp } from '../support/app.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { scriptedUpstream } from '../support/scripted-upstream.ts';

const docker19 = manifestRequestHeaders['Docker 1.9.1'];
const docker113 = manifestRequestHeaders['Docker 1.13.1'];
const repository = '/v2/sample/oci/manifests';

interface Shelf extends Cache {
  readonly entries: Map<string, CacheEntry>;
  /** Entries of a kind, as someone else might have left them. */
  change(kind: string, change: (entry: CacheEntry) => CacheEntry): void;
  drop(kind: string): void;
}

/** What two programs share. */
function shelf(): Shelf {
  const entries = new Map<string, CacheEntry>();
  return {
    entries,
    get: async (key) => entries.get(key),
    set: async (key, entry) => {
      entries.set(key, structuredClone(entry));
    },
    change(kind, change) {
      const ofKind = [...entries].filter(([key]) => kindOf(key) === kind);
      expect(ofKind.length).toBeGreaterThan(0);
      for (const [key, entry] of ofKind) entries.set(key, change(entry));
    },
    drop(kind) {
      for (const key of [...entries.keys()]) if (kindOf(key) === kind) entries.delete(key);
    },
  };
}

function sharing(cache: Cache) {
  const upstream = scriptedUpstream();
  const app = testApp({}, upstream.fetch, {
    tiers: [{ name: 'shelf', cache, accepts: (key) => isOurs(key) || kindOf(key) === 'manifest' }],
  });
  return { ...app, asked: upstream.asked };
}

/** Where one program has made something, and another one knows nothing but what is shared. */
async function madeByOne(headers: typeof docker19 | typeof docker113 = docker19) {
  const cache = shelf();
  const made = await sharing(cache).get(`${repository}/latest`, headers);
  expect(made.status).toBe(200);
  const digest = made.header('Docker-Content-Digest') ?? '';
  return { cache, made, digest, other: sharing(cache) };
}

describe('what one program has made', () => {
  it('is served by another one by its digest, for one question about the right to it', async () => {
    const { made, digest, other } = await madeByOne();
    const given = await other.get(`${repository}/${digest}`, docker19);
    expect(given.body).toEqual(made.body);
    expect(given.header('Regshift-Conversion')).toBe(made.header('Regshift-Conversion'));
    expect(other.asked).toEqual([`HEAD ${repository}/${made.header('Regshift-Source-Digest')}`]);
  });

  it('is not made again for its tag', async () => {
    const { made, other } = await madeByOne(docker113);
    expect((await other.get(`${repository}/latest`, docker113)).body).toEqual(made.body);
    expect(other.asked).toEqual([`HEAD ${repository}/latest`]);
  });
});

describe('what lies in a shared cache and is not as it should be', () => {
  const spoilt: readonly [string, string, (entry: CacheEntry) => CacheEntry][] = [
    ['product', 'with another byte', ({ facts, body }) => ({ facts, body: flipped(body) })],
    ['product', 'that says another digest', (entry) => renamed(entry, `sha256:${'0'.repeat(64)}`)],
    ['product', 'of an older shape', ({ facts: { from: _, ...facts }, body }) => ({ facts, body })],
    ['recipe', 'of no shape', ({ body }) => ({ facts: { recipe: 'schema1' }, body })],
    ['recipe', 'of a form yet unknown', (entry) => changedRecipe(entry, { form: 'schema3' })],
    ['manifest', 'with another byte', ({ facts, body }) => ({ facts, body: flipped(body) })],
  ];

  it.each(spoilt)('a %s %s is made or fetched again', async (kind, _how, change) => {
    const { cache, made, digest } = await madeByOne(docker113);
    cache.change(kind, change);
    // What is made from it would hide it.
    if (kind !== 'product') cache.drop('product');
    const spoiltEntries = new Map(cache.entries);
    const expected = [200, made.body, made.header('Regshift-Conversion')];
    for (const reference of ['latest', digest]) {
      cache.entries.clear();
      for (const [key, entry] of spoiltEntries) cache.entries.set(key, entry);
      const given = await sharing(cache).get(`${repository}/${reference}`, docker113);
      expect([given.status, given.body, given.header('Regshift-Conversion')]).toEqual(expected);
    }
  });

  it('a recipe that makes something else never gives other bytes for the digest asked for', async () => {
    const { cache, digest, other } = await madeByOne();
    cache.change('recipe', (entry) => changedRecipe(entry, { tag: 'another' }));
    const given = await other.get(`${repository}/${digest}`, docker19);
    expect([given.status, given.error().code]).toEqual([404, 'MANIFEST_UNKNOWN']);
  });
});

describe('what a shared cache has lost', () => {
  it('is put back when it is given out again, with all that it names', async () => {
    const cache = shelf();
    const one = sharing({ ...cache, lacks: (key) => !cache.entries.has(key) });
    const list = '/v2/sample/index-zstd/manifests/latest';
    await one.get(list, docker113);
    const recipes = () => [...cache.entries.keys()].filter((key) => kindOf(key) === 'recipe').toSorted();
    const before = recipes();
    expect(before.length).toBeGreaterThan(3);
    cache.entries.clear();
    await one.get(list, docker113);
    expect(recipes()).toEqual(before);
  });
});

function flipped(body: Uint8Array): Uint8Array {
  return body.map((byte, index) => (index === body.length >> 1 ? byte ^ 1 : byte));
}

function renamed({ facts, body }: CacheEntry, digest: string): CacheEntry {
  return { facts: { ...facts, digest }, body };
}

function changedRecipe({ facts, body }: CacheEntry, change: object): CacheEntry {
  return { facts: { recipe: { ...(facts.recipe as object), ...change } }, body };
}
