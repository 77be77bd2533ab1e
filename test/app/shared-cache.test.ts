import { describe, expect, it } from 'vitest';
import type { Cache, CacheEntry } from '../../src/cache/cache.ts';
import { isOurs, kindOf } from '../../src/registry/cache-entries.ts';
import { testApp } from '../support/app.ts';
import { manifestRequestHeaders } from '../support/old-clients.ts';
import { scriptedUpstream } from '../support/scripted-upstream.ts';

const docker19 = manifestRequestHeaders['Docker 1.9.1'];
const docker113 = manifestRequestHeaders['Docker 1.13.1'];
const repository = '/v2/sample/oci/manifests';

interface SharedEntries extends Cache {
  readonly entries: Map<string, CacheEntry>;
  /** Changes all entries of a kind, as another writer might have left them. */
  change(kind: string, change: (entry: CacheEntry) => CacheEntry): void;
  drop(kind: string): void;
}

/** A cache that two programs share. */
function sharedEntries(): SharedEntries {
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
    tiers: [{ name: 'shared', cache, accepts: (key) => isOurs(key) || kindOf(key) === 'manifest' }],
  });
  return { ...app, asked: upstream.asked };
}

/** Pulls from one program. @returns a second program too, which shares the cache and nothing else. */
async function pulledFromOne(headers: typeof docker19 | typeof docker113 = docker19) {
  const cache = sharedEntries();
  const made = await sharing(cache).get(`${repository}/latest`, headers);
  expect(made.status).toBe(200);
  const digest = made.header('Docker-Content-Digest') ?? '';
  return { cache, made, digest, other: sharing(cache) };
}

describe('a manifest that one program has converted', () => {
  it('is served by another program by its digest, after one request that checks the access right', async () => {
    const { made, digest, other } = await pulledFromOne();
    const response = await other.get(`${repository}/${digest}`, docker19);
    expect(response.body).toEqual(made.body);
    expect(response.header('Regshift-Conversion')).toBe(made.header('Regshift-Conversion'));
    expect(other.asked).toEqual([`HEAD ${repository}/${made.header('Regshift-Source-Digest')}`]);
  });

  it('is not converted again for its tag', async () => {
    const { made, other } = await pulledFromOne(docker113);
    expect((await other.get(`${repository}/latest`, docker113)).body).toEqual(made.body);
    expect(other.asked).toEqual([`HEAD ${repository}/latest`]);
  });
});

describe('a damaged entry of a shared cache', () => {
  const spoilt: readonly [string, string, (entry: CacheEntry) => CacheEntry][] = [
    ['product', 'with another byte', ({ facts, body }) => ({ facts, body: flipped(body) })],
    ['product', 'with another digest', (entry) => renamed(entry, `sha256:${'0'.repeat(64)}`)],
    ['product', 'of an older version', ({ facts: { from: _, ...facts }, body }) => ({ facts, body })],
    ['recipe', 'without its fields', ({ body }) => ({ facts: { recipe: 'schema1' }, body })],
    ['recipe', 'of an unknown form', (entry) => changedRecipe(entry, { form: 'schema3' })],
    ['manifest', 'with another byte', ({ facts, body }) => ({ facts, body: flipped(body) })],
  ];

  it.each(spoilt)('a %s %s is converted or fetched again', async (kind, _how, change) => {
    const { cache, made, digest } = await pulledFromOne(docker113);
    cache.change(kind, change);
    // The cached converted manifest would hide the damage.
    if (kind !== 'product') cache.drop('product');
    const spoiltEntries = new Map(cache.entries);
    const expected = [200, made.body, made.header('Regshift-Conversion')];
    for (const reference of ['latest', digest]) {
      cache.entries.clear();
      for (const [key, entry] of spoiltEntries) cache.entries.set(key, entry);
      const response = await sharing(cache).get(`${repository}/${reference}`, docker113);
      expect([response.status, response.body, response.header('Regshift-Conversion')]).toEqual(expected);
    }
  });

  it('a wrong recipe never leads to bytes that do not match the requested digest', async () => {
    const { cache, digest, other } = await pulledFromOne();
    cache.change('recipe', (entry) => changedRecipe(entry, { tag: 'another' }));
    const response = await other.get(`${repository}/${digest}`, docker19);
    expect([response.status, response.error().code]).toEqual([404, 'MANIFEST_UNKNOWN']);
  });
});

describe('an entry that a shared cache has lost', () => {
  it('is stored again when its manifest is sent again, with the entries of its children', async () => {
    const cache = sharedEntries();
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
