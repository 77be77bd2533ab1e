import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Cache, type CacheEntry, createMemoryCache } from '../../src/cache/cache.ts';
import { decodeEntry, encodeEntry } from '../../src/cache/entry-codec.ts';
import { createMemoryBudget } from '../../src/cache/memory-budget.ts';
import { createTieredCache } from '../../src/cache/tiered.ts';
import { memoryWith, testMemory } from '../support/memory.ts';

function entry(text: string, facts: CacheEntry['facts'] = {}): CacheEntry {
  return { facts, body: new TextEncoder().encode(text) };
}

describe('the memory cache', () => {
  test('returns a stored entry', async () => {
    const cache = createMemoryCache(testMemory());
    await cache.set('a', entry('x', { n: 1 }));
    expect(await cache.get('a')).toEqual(entry('x', { n: 1 }));
    expect(await cache.get('b')).toBeUndefined();
  });

  test('evicts the least recently used entry once its bytes are used up', async () => {
    const cache = createMemoryCache(memoryWith('content', 5000));
    await cache.set('a', entry('x'.repeat(1000)));
    await cache.set('b', entry('x'.repeat(1000)));
    await cache.get('a');
    await cache.set('c', entry('x'.repeat(1000)));
    expect(await cache.get('a')).toBeDefined();
    expect(await cache.get('b')).toBeUndefined();
    expect(await cache.get('c')).toBeDefined();
  });

  test('counts the metadata of an entry too', async () => {
    const cache = createMemoryCache(memoryWith('content', 5000));
    await cache.set('a', entry('', { long: 'x'.repeat(1500) }));
    await cache.set('b', entry('', { long: 'x'.repeat(1500) }));
    await cache.set('c', entry('', { long: 'x'.repeat(1500) }));
    expect(await cache.get('a')).toBeUndefined();
    expect(await cache.get('b')).toBeDefined();
  });

  test('stores nothing with a size of 0 bytes', async () => {
    const cache = createMemoryCache(createMemoryBudget(0));
    await cache.set('a', entry('x'));
    expect(await cache.get('a')).toBeUndefined();
  });
});

describe('an entry as bytes', () => {
  test('is the same after writing and reading', () => {
    const property = fc.property(
      fc.dictionary(fc.string(), fc.jsonValue()),
      fc.uint8Array(),
      (facts, body) => {
        const read = decodeEntry(encodeEntry({ facts, body }));
        expect(JSON.stringify(read?.facts)).toBe(JSON.stringify(facts));
        expect(read?.body).toEqual(body);
      },
    );
    fc.assert(property, { numRuns: 200 });
  });

  test('is undefined when the bytes are not an entry', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const read = decodeEntry(bytes);
        expect(read === undefined || typeof read.facts === 'object').toBe(true);
      }),
    );
    expect(decodeEntry(Uint8Array.of(0, 0, 0, 9, 123, 125))).toBeUndefined();
    expect(decodeEntry(Uint8Array.of(0, 0, 0, 1, 49))).toBeUndefined();
  });
});

describe('tiers', () => {
  const tiers = () => {
    const near = createMemoryCache(testMemory());
    const far = createMemoryCache(testMemory());
    const keepsRecipes = (key: string) => key.startsWith('recipe ');
    const both: Cache = createTieredCache([
      { name: 'near', cache: near, accepts: () => true },
      { name: 'far', cache: far, accepts: keepsRecipes },
    ]);
    return { near, far, both };
  };

  test('a new entry is in all tiers before set ends', async () => {
    const { near, far, both } = tiers();
    await both.set('recipe a', entry('x'));
    expect([await near.get('recipe a'), await far.get('recipe a')]).toEqual([entry('x'), entry('x')]);
  });

  test('an entry of the far tier alone is found, and copied to the near tier', async () => {
    const { near, far, both } = tiers();
    await far.set('recipe a', entry('x'));
    expect(await both.get('recipe a')).toEqual(entry('x'));
    expect(await near.get('recipe a')).toEqual(entry('x'));
  });

  test('an entry in memory is available synchronously, and an entry of another tier is not', async () => {
    const { both, far } = tiers();
    await both.set('recipe a', entry('x'));
    expect(both.getLocal?.('recipe a')).toEqual(entry('x'));
    const { get, set } = far;
    const outside = createTieredCache([{ name: 'far', cache: { get, set }, accepts: () => true }]);
    expect(outside.getLocal?.('recipe a')).toBeUndefined();
    expect(await outside.get('recipe a')).toEqual(entry('x'));
  });

  test('an entry that a far tier has lost is written to it again when the near tier has it', async () => {
    const { near, far } = tiers();
    const lacking = new Set<string>();
    const cache = { ...far, lacks: (key: string) => lacking.has(key) };
    const both = createTieredCache([
      { name: 'near', cache: near, accepts: () => true },
      { name: 'far', cache, accepts: (key) => key.startsWith('recipe ') },
    ]);
    await near.set('recipe a', entry('x'));
    await near.set('manifest a', entry('x'));
    await both.get('recipe a');
    expect(await far.get('recipe a')).toBeUndefined();
    for (const key of ['recipe a', 'manifest a']) lacking.add(key);
    expect([both.lacks?.('recipe a'), both.lacks?.('manifest a')]).toEqual([true, false]);
    await both.get('recipe a');
    await both.get('manifest a');
    expect(await far.get('recipe a')).toEqual(entry('x'));
    expect(await far.get('manifest a')).toBeUndefined();
  });

  test('a tier is neither read nor written for kinds of entries that it does not store', async () => {
    const { far, both } = tiers();
    await far.set('manifest a', entry('x'));
    expect(await both.get('manifest a')).toBeUndefined();
    await both.set('manifest b', entry('x'));
    expect(await far.get('manifest b')).toBeUndefined();
  });
});
