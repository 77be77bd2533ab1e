import { describe, expect, it, vi } from 'vitest';
import { doOnce } from '../../../src/cache/claimed-work.ts';
import { settled } from '../../support/settled.ts';

/** A cache of two processes: the claims of one, and results. */
function sharedCache() {
  const claims = new Set<string>();
  const results = new Map<string, string>();
  return {
    claims,
    results,
    claim: async (key: string) => {
      if (claims.has(key)) return 'taken' as const;
      claims.add(key);
      return 'claimed' as const;
    },
    release: (key: string) => void claims.delete(key),
  };
}

const key = 'product a';
const never = new AbortController().signal;

describe('work on an entry that several processes lack', () => {
  function worker(cache: ReturnType<typeof sharedCache>, made: () => Promise<string>, signal = never) {
    const make = vi.fn(made);
    const find = async () => cache.results.get(key);
    return { make, result: doOnce(cache, { key, find, make, budget: undefined, signal }) };
  }

  it('is done by one of them, and its result serves the others', async () => {
    const cache = sharedCache();
    const done = Promise.withResolvers<void>();
    const first = worker(cache, async () => {
      await done.promise;
      cache.results.set(key, 'made');
      return 'made';
    });
    const others = [1, 2, 3].map(() => worker(cache, async () => 'made again'));
    setTimeout(done.resolve, 50);
    expect(await Promise.all([first, ...others].map(({ result }) => result))).toEqual(Array(4).fill('made'));
    expect(others.map(({ make }) => make.mock.calls.length)).toEqual([0, 0, 0]);
    expect([...cache.claims]).toEqual([]);
  });

  it('is done by another one where the first one fails', async () => {
    const cache = sharedCache();
    const first = worker(cache, () => Promise.reject(new Error('upstream is away')));
    const second = worker(cache, async () => 'made');
    await expect(first.result).rejects.toThrow('upstream is away');
    expect(await second.result).toBe('made');
    expect([...cache.claims]).toEqual([]);
  });

  it('leaves no claim where the look for a result fails', async () => {
    const cache = sharedCache();
    const claim = async () => {
      await settled();
      return cache.claim(key);
    };
    const slow = { ...cache, claim };
    const find = () => Promise.reject(new Error('the entry is broken'));
    const result = doOnce(slow, { key, find, make: async () => 'made', budget: undefined, signal: never });
    await expect(result).rejects.toThrow('the entry is broken');
    await settled();
    expect([...cache.claims]).toEqual([]);
  });

  it('is done without the one that stands still, after two seconds, and leaves its claim', async () => {
    const cache = sharedCache();
    cache.claims.add(key);
    const started = performance.now();
    expect(await worker(cache, async () => 'made').result).toBe('made');
    expect(performance.now() - started).toBeGreaterThan(1_900);
    expect([...cache.claims]).toEqual([key]);
  });

  it('is waited for no longer than the client waits', async () => {
    const cache = sharedCache();
    cache.claims.add(key);
    const reason = new Error('the client left');
    await expect(worker(cache, async () => 'made', AbortSignal.abort(reason)).result).rejects.toBe(reason);
  });

  it('needs no claim where there is no shared cache', async () => {
    const make = vi.fn(async () => 'made');
    const find = async () => undefined;
    expect(await doOnce({}, { key, find, make, budget: undefined, signal: never })).toBe('made');
    expect(make).toHaveBeenCalledTimes(1);
  });
});
