import { beforeEach, describe, expect, it } from 'vitest';
import { readSigningKey } from '../../../../../converters/crypto/signing-key.ts';
import {
  createEntryAuthenticator,
  type EntryAuthenticator,
} from '../../../../../src/runtime/node/redis/authenticated-entry.ts';
import { createRedisCache, isShared, valueBytes } from '../../../../../src/runtime/node/redis/cache.ts';
import type { RedisCommands } from '../../../../../src/runtime/node/redis/client.ts';
import type { RedisConnection } from '../../../../../src/runtime/node/redis/connection.ts';
import { testMemory } from '../../../../support/memory.ts';
import { testSigningKey } from '../../../../support/signing-key.ts';

/** The commands that the cache uses, in memory. The tests with real programs cover a real Redis. */
function standIn() {
  const written = new Map<string, { readonly value: Buffer; readonly seconds: number }>();
  const state = { away: false, asked: 0, read: 0 };
  const client = {
    getRange: async (name: string, start: number, end: number) => {
      const read = (written.get(name)?.value ?? Buffer.alloc(0)).subarray(start, end + 1);
      state.read += read.length;
      return read;
    },
    set: async (name: string, value: Buffer, { EX, PX = 0, NX }: { EX?: number; PX?: number; NX?: true }) => {
      if (NX && written.has(name)) return null;
      written.set(name, { value, seconds: EX ?? PX / 1000 });
      return 'OK';
    },
    del: async (names: string[]) => names.filter((name) => written.delete(name)).length,
  } as unknown as RedisCommands;
  const connection: RedisConnection = {
    isDown: () => state.away,
    run: async (command) => {
      state.asked += 1;
      return state.away ? undefined : command(client);
    },
    close: async () => {},
  };
  return { connection, written, state };
}

const recipe = 'recipe https://registry.example team/app sha256:00';
const product = 'product https://registry.example team/app sha256:00 v1';
const small = { facts: { n: 1 }, body: Uint8Array.of(1) };

let authenticator: EntryAuthenticator;
beforeEach(async () => {
  authenticator = await createEntryAuthenticator(await readSigningKey(JSON.stringify(testSigningKey)));
});

describe('an entry in Redis', () => {
  it.each([
    ['recipe a', true],
    ['product a', true],
    ['made-config a', true],
    ['layer-facts a', true],
    ['compression a', true],
    ['labels a', true],
    ['manifest a', true],
    ['blob a', false],
    ['tag a', false],
  ])('%s: %s', (key, kept) => {
    expect(isShared(key)).toBe(kept);
  });

  it('expires, and documents expire first', async () => {
    const { connection, written } = standIn();
    const cache = createRedisCache(connection, authenticator, testMemory());
    await cache.set(recipe, small);
    await cache.set(product, small);
    expect(written.get(authenticator.keyFor(recipe))?.seconds).toBe(90 * 86_400);
    expect(written.get(authenticator.keyFor(product))?.seconds).toBe(7 * 86_400);
    expect(await cache.get(product)).toEqual(small);
  });

  it('is not a document above the limit, which is not tried again', async () => {
    const { connection, written, state } = standIn();
    const cache = createRedisCache(connection, authenticator, testMemory());
    await cache.set(product, { facts: {}, body: new Uint8Array(valueBytes) });
    expect([written.size, state.asked, cache.lacks?.(product)]).toEqual([0, 0, false]);
  });

  it('is read up to the limit, because another writer can put more there', async () => {
    const { connection, written, state } = standIn();
    const cache = createRedisCache(connection, authenticator, testMemory());
    const largest = { facts: {}, body: new Uint8Array(valueBytes - 38) };
    await cache.set(product, largest);
    expect((await cache.get(product))?.body.length).toBe(largest.body.length);
    expect(state.read).toBe(valueBytes);
    const value = Buffer.alloc(50 * valueBytes);
    written.set(authenticator.keyFor(product), { value, seconds: 1 });
    state.read = 0;
    expect(await cache.get(product)).toBeUndefined();
    expect(state.read).toBe(valueBytes);
  });
});

describe('a claim', () => {
  it('is of one replica until it ends the claim, and has a short life', async () => {
    const { connection, written } = standIn();
    const [one, other] = [
      createRedisCache(connection, authenticator, testMemory()),
      createRedisCache(connection, authenticator, testMemory()),
    ];
    expect([await one.claim?.(product), await other.claim?.(product)]).toEqual(['claimed', 'taken']);
    expect([...written].map(([name, { seconds }]) => [name.split(':')[3], seconds])).toEqual([['claim', 5]]);
    expect(await other.claim?.(recipe)).toBe('claimed');
    one.release?.(product);
    expect(await other.claim?.(product)).toBe('claimed');
  });

  it('that has ended by itself is not ended for the replica that has it now', async () => {
    const { connection, written } = standIn();
    let now = 0;
    const [one, other] = [
      createRedisCache(connection, authenticator, testMemory(), () => now),
      createRedisCache(connection, authenticator, testMemory(), () => now),
    ];
    expect(await one.claim?.(product)).toBe('claimed');
    now = 5_000;
    written.clear();
    expect(await other.claim?.(product)).toBe('claimed');
    one.release?.(product);
    expect(await one.claim?.(product)).toBe('taken');
  });

  it('is given to all while Redis is away', async () => {
    const { connection, state } = standIn();
    const cache = createRedisCache(connection, authenticator, testMemory());
    state.away = true;
    expect([await cache.claim?.(product), await cache.claim?.(product)]).toEqual(['claimed', 'claimed']);
  });
});

describe('what Redis lacks', () => {
  it('is every entry that this replica has not seen there', async () => {
    const { connection } = standIn();
    const [one, other] = [
      createRedisCache(connection, authenticator, testMemory()),
      createRedisCache(connection, authenticator, testMemory()),
    ];
    expect(one.lacks?.(recipe)).toBe(true);
    await one.set(recipe, small);
    expect([one.lacks?.(recipe), other.lacks?.(recipe)]).toEqual([false, true]);
    await other.get(recipe);
    expect(other.lacks?.(recipe)).toBe(false);
  });

  it('is every entry that it has not seen there for ten minutes', async () => {
    const { connection } = standIn();
    let now = 0;
    const cache = createRedisCache(connection, authenticator, testMemory(), () => now);
    await cache.set(recipe, small);
    now = 599_999;
    expect(cache.lacks?.(recipe)).toBe(false);
    now = 600_000;
    expect(cache.lacks?.(recipe)).toBe(true);
  });

  it('is every entry after a reconnect, and none while Redis is down', async () => {
    const { connection, state } = standIn();
    const cache = createRedisCache(connection, authenticator, testMemory());
    await cache.set(recipe, small);
    state.away = true;
    await cache.set(product, small);
    expect([cache.lacks?.(recipe), cache.lacks?.(product)]).toEqual([false, false]);
    state.away = false;
    expect([cache.lacks?.(recipe), cache.lacks?.(product)]).toEqual([false, true]);
    cache.forget();
    expect(cache.lacks?.(recipe)).toBe(true);
  });
});
