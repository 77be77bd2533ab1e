import { env } from 'cloudflare:workers';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Cache as CachePort } from '../../src/cache/cache.ts';
import { createBudget } from '../../src/request/budget.ts';
import { createEdgeCache } from '../../src/runtime/worker/edge-cache.ts';
import { createKvCache } from '../../src/runtime/worker/kv-cache.ts';

const entry = { facts: { recipe: { source: 'sha256:…' } }, body: Uint8Array.of(0, 1, 255) };
const namespace = (env as unknown as { RECIPES: KVNamespace }).RECIPES;
const quiet = () => {};

const edge = (log = quiet) => createEdgeCache(() => caches.open('test'), log, quiet);

test('the Cache API returns a stored entry, and only under its own key', async () => {
  const cache = edge();
  await cache.set('recipe a b', entry);
  expect(await cache.get('recipe a b')).toEqual(entry);
  expect(await cache.get('recipe a c')).toBeUndefined();
});

test('KV returns a stored entry under a key of any length', async () => {
  const cache = createKvCache(namespace, quiet, quiet);
  const key = `recipe ${'x'.repeat(2000)}`;
  await cache.set(key, entry);
  expect(await cache.get(key)).toEqual(entry);
  expect(await cache.get(`${key}y`)).toBeUndefined();
});

// KV also caches "not found" for `cacheTtl`: an hour of it would mean an hour of searches.
test('KV gets no cacheTtl', async () => {
  const calls: unknown[][] = [];
  const spy = { get: (...how: unknown[]) => calls.push(how) && null } as unknown as KVNamespace;
  await createKvCache(spy, quiet, quiet).get('recipe a');
  expect(calls).toEqual([[expect.any(String), 'arrayBuffer']]);
});

type Make = (log: (level: string, message: string) => void) => CachePort;
const broken: [name: string, make: Make][] = [
  ['KV', (log) => createKvCache({ get: fail, put: fail } as unknown as KVNamespace, log, quiet)],
  ['the Cache API', (log) => createEdgeCache(fail, log, quiet)],
];

describe.each(broken)('%s', (name, make) => {
  test('that fails is logged and skipped', async () => {
    const logged: string[] = [];
    const cache = make((level, message) => logged.push(`${level} ${message}`));
    await cache.set('recipe a', entry);
    expect(await cache.get('recipe a')).toBeUndefined();
    expect(logged).toEqual([
      `warn ${name} could not be written; going on without it`,
      `warn ${name} could not be read; going on without it`,
    ]);
  });

  test('costs a request of the budget each time', async () => {
    const budget = createBudget(2);
    const cache = make(quiet);
    await cache.set('recipe a', entry, budget);
    await cache.get('recipe a', budget);
    await expect(cache.get('recipe a', budget)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    await expect(cache.set('recipe a', entry, budget)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });
});

type MakeSilent = (asked: () => Promise<never>, background: (work: Promise<unknown>) => void) => CachePort;
const silent: [name: string, make: MakeSilent][] = [
  [
    'KV',
    (asked, background) =>
      createKvCache({ get: asked, put: asked } as unknown as KVNamespace, quiet, background),
  ],
  ['the Cache API', (asked, background) => createEdgeCache(asked, quiet, background)],
];

describe.each(silent)('%s that does not answer', (_, make) => {
  test('is waited for three seconds, and then rests for five', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    let asked = 0;
    const kept: Promise<unknown>[] = [];
    const hang = () => {
      asked += 1;
      return new Promise<never>(() => {});
    };
    const cache = make(hang, (work) => void kept.push(work));
    for (const use of [() => cache.get('recipe a'), () => cache.set('recipe a', entry)]) {
      asked = 0;
      const first = use();
      await vi.advanceTimersByTimeAsync(3_000);
      expect(await first).toBeUndefined();
      expect(await use()).toBeUndefined();
      expect(asked).toBe(1);
      await vi.advanceTimersByTimeAsync(5_000);
      void use();
      await vi.advanceTimersByTimeAsync(0);
      expect(asked).toBe(2);
    }
    // Late writes go on after their requests; late reads do not.
    expect(kept).toHaveLength(2);
  });
});

function fail(): Promise<never> {
  return Promise.reject(new Error('limit'));
}
