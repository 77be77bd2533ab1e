import { env } from 'cloudflare:workers';
import { expect, test } from 'vitest';
import { createEdgeCache } from '../../src/runtime/worker/edge-cache.ts';
import { createKvCache } from '../../src/runtime/worker/kv-cache.ts';

const kept = { facts: { recipe: { source: 'sha256:…' } }, body: Uint8Array.of(0, 1, 255) };
const namespace = (env as unknown as { RECIPES: KVNamespace }).RECIPES;

test('the Cache API gives back what was put in, and nothing else', async () => {
  const cache = createEdgeCache(() => caches.open('test'));
  await cache.set('recipe a b', kept);
  expect(await cache.get('recipe a b')).toEqual(kept);
  expect(await cache.get('recipe a c')).toBeUndefined();
});

test('KV gives back what was put in, whatever the length of the key', async () => {
  const cache = createKvCache(namespace, () => {});
  const key = `recipe ${'x'.repeat(2000)}`;
  await cache.set(key, kept);
  expect(await cache.get(key)).toEqual(kept);
  expect(await cache.get(`${key}y`)).toBeUndefined();
});

test('KV that fails is gone on without', async () => {
  const logged: string[] = [];
  const broken = { get: fail, put: fail } as unknown as KVNamespace;
  const cache = createKvCache(broken, (level, message) => logged.push(`${level} ${message}`));
  await cache.set('recipe a', kept);
  expect(await cache.get('recipe a')).toBeUndefined();
  expect(logged).toEqual([
    'warn KV could not be written; going on without it',
    'warn KV could not be read; going on without it',
  ]);
});

function fail(): Promise<never> {
  return Promise.reject(new Error('limit'));
}
