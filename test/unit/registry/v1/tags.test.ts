import { describe, expect, it, vi } from 'vitest';
import type { RepositoryName, Tag } from '../../../../converters/reference.ts';
import { createMemoryBudget, type MemoryBudget } from '../../../../src/cache/memory-budget.ts';
import { bytesPerTurn } from '../../../../src/concurrency/work-turns.ts';
import { createAccessEpochs } from '../../../../src/registry/access-epochs.ts';
import { createRecentTags, createRequestedTags } from '../../../../src/registry/recent-tags.ts';
import { createRepositoryVersions } from '../../../../src/registry/repository-versions.ts';
import { createV1Tags, newestFirst } from '../../../../src/registry/v1/tags.ts';
import { createBudget } from '../../../../src/request/budget.ts';
import { unknownRequester } from '../../../../src/request/requester.ts';
import type { UpstreamClient } from '../../../../src/upstream/client.ts';
import type { RequestContext } from '../../../../src/upstream/request-context.ts';
import { testMemory } from '../../../support/memory.ts';

const sorted = (...tags: string[]) => newestFirst(tags as Tag[]);

describe('the newest tags first', () => {
  it('take the data of a collator only when there are tags to sort', async () => {
    const collator = vi.spyOn(Intl, 'Collator');
    vi.resetModules();
    const fresh = await import('../../../../src/registry/v1/tags.ts');
    expect(collator).not.toHaveBeenCalled();
    expect(fresh.newestFirst(['1.9', '1.10', '1.2'] as Tag[])).toEqual(['1.10', '1.9', '1.2']);
    expect(collator).toHaveBeenCalledTimes(1);
    collator.mockRestore();
  });

  it.each([
    [
      ['1.9', '1.10', '1.2'],
      ['1.10', '1.9', '1.2'],
    ],
    [
      ['a', 'latest', 'z'],
      ['latest', 'z', 'a'],
    ],
    [
      ['v2', 'v10', 'v1'],
      ['v10', 'v2', 'v1'],
    ],
    [
      ['20240101', '20241231', '20231231'],
      ['20241231', '20240101', '20231231'],
    ],
    [
      [`sha256-${'a'.repeat(64)}.sig`, '1.0', `sha256-${'b'.repeat(64)}`, 'sha256-short', 'latest'],
      ['latest', 'sha256-short', '1.0', `sha256-${'b'.repeat(64)}`, `sha256-${'a'.repeat(64)}.sig`],
    ],
    [[], []],
  ])('%j', (tags, expected) => {
    expect(sorted(...tags)).toEqual(expected);
  });

  it('are in one order, whatever order upstream lists them in', () => {
    const tags = ['1.0', '01.0', '1.00', 'B', 'b', 'latest', '1.0-rc1', 'LATEST'];
    const expected = sorted(...tags);
    for (let turn = 0; turn < tags.length; turn += 1) {
      tags.push(tags.shift() ?? '');
      expect(sorted(...tags)).toEqual(expected);
    }
  });
});

describe('lists of tags in memory', () => {
  const repository = 'team/app' as RepositoryName;
  const contextOf = (login: string): RequestContext => ({
    credential: { kind: 'client', authorization: `Basic ${btoa(`${login}:secret`)}` },
    requester: () => unknownRequester,
    budget: createBudget(Number.POSITIVE_INFINITY),
  });

  /** The tags of a registry that lists them by login, and the number of its lists. */
  function tagsOver(
    listed: (login: string) => readonly string[],
    memory = testMemory(),
    most = 2,
    other?: UpstreamClient,
  ) {
    const state = { lists: 0, now: 0 };
    const request: UpstreamClient['request'] = async ({ credential }) => {
      state.lists += 1;
      const login = credential.kind === 'client' ? atob(credential.authorization.slice(6)) : '';
      return { response: Response.json({ tags: listed(login) }), anonymous: false, refused: false };
    };
    const client = other ?? { id: 'https://registry.test', request };
    const [recentTags, requestedTags] = [createRecentTags(memory), createRequestedTags(memory)];
    const versions = createRepositoryVersions()('https://registry.test');
    const tags = createV1Tags({
      ...{ client, memory, versions, recentTags, requestedTags, ttl: 30 },
      epochs: createAccessEpochs(memory),
      most: () => most,
      clock: () => state.now,
    });
    return { tags, state, memory };
  }

  const bytesIn = (memory: MemoryBudget) =>
    memory.usage().find(({ table }) => table === 'tag-lists')?.bytes ?? 0;

  it('are asked for once within the TTL by each login', async () => {
    const { tags, state } = tagsOver(() => ['a', 'b', 'c']);
    const expected = { tags: ['c', 'b'], left: 1 };
    for (const login of ['alice', 'bob', 'alice', 'bob']) {
      expect(await tags.toTry(repository, undefined, contextOf(login))).toEqual(expected);
    }
    expect(state.lists).toBe(2);
    state.now = 30_000;
    await tags.toTry(repository, undefined, contextOf('alice'));
    expect(state.lists).toBe(3);
  });

  it('are empty for an empty repository, and asked for once', async () => {
    const { tags, state } = tagsOver(() => []);
    for (const _ of [1, 2]) {
      expect(await tags.toTry(repository, undefined, contextOf('alice'))).toEqual({ tags: [], left: 0 });
    }
    expect(state.lists).toBe(1);
  });

  it('are those of the own login', async () => {
    const { tags } = tagsOver((login) => [login.replace(':', '-')]);
    for (const login of ['alice', 'bob', 'alice', 'bob']) {
      expect((await tags.toTry(repository, undefined, contextOf(login))).tags).toEqual([`${login}-secret`]);
    }
  });

  it('are in memory once for all logins that see the same tags', async () => {
    const listed = Array.from({ length: 10_000 }, (_, index) => `1.0.0-${'x'.repeat(40)}-${index}`);
    const { tags, state, memory } = tagsOver(() => listed);
    await tags.toTry(repository, undefined, contextOf('user-0'));
    const one = bytesIn(memory);
    expect(one).toBeGreaterThan(100_000);
    for (let user = 1; user < 20; user += 1) {
      await tags.toTry(repository, undefined, contextOf(`user-${user}`));
    }
    expect(bytesIn(memory)).toBeLessThan(2 * one);
    await tags.toTry(repository, undefined, contextOf('user-0'));
    expect(state.lists).toBe(20);
  });

  it('are as many as may be tried, the newest first as if all were sorted at once', async () => {
    const many = Array.from({ length: 25_000 }, (_, index) => `1.${(index * 7_919) % 25_000}`);
    const { tags } = tagsOver(() => many, testMemory(), 10_000);
    const { tags: tried, left } = await tags.toTry(repository, undefined, contextOf('alice'));
    expect(tried).toEqual(sorted(...many).slice(0, 10_000));
    expect(left).toBe(15_000);
  });

  it('are sorted in parts of 4,000, with a turn of the event loop before and after each', async () => {
    let turns = 0;
    const pages = Array.from({ length: 8 }, (_, page) =>
      Array.from({ length: 1_000 }, (_, index) => `1.${page * 1_000 + index}`),
    );
    const client: UpstreamClient = {
      id: 'https://registry.test',
      turn: async (bytes) => {
        if (bytes === bytesPerTurn) turns += 1;
      },
      request: async ({ path }) => {
        const page = Number(/last=(\d)$/.exec(path)?.[1] ?? 0);
        const link = { link: `</v2/team/app/tags/list?last=${page + 1}>; rel="next"` };
        const response = Response.json({ tags: pages[page] }, page < 7 ? { headers: link } : {});
        return { response, anonymous: false, refused: false };
      },
    };
    const { tags } = tagsOver(() => [], testMemory(), 10_000, client);
    const { tags: tried } = await tags.toTry(repository, undefined, contextOf('alice'));
    expect(tried).toEqual(sorted(...pages.flat()));
    // Two parts, and an empty one at the end.
    expect(turns).toBe(6);
  });

  it('of a hundred thousand have `latest`, the newest, and the one that the client wants', async () => {
    const many = Array.from({ length: 100_000 }, (_, index) => `1.${String(index).padStart(6, '0')}`);
    const { tags } = tagsOver(() => [...many, 'latest', '0.1'].toSorted());
    const { tags: tried, left } = await tags.toTry(repository, '0.1' as Tag, contextOf('alice'));
    expect(tried).toEqual(['0.1', 'latest', '1.099999'].slice(0, tried.length));
    expect(tried.length).toBeGreaterThan(1);
    expect(left).toBe(100_002 - tried.length);
    const again = await tags.toTry(repository, undefined, contextOf('alice'));
    expect([again.tags, again.left]).toEqual([['latest', '1.099999'], 100_000]);
  });

  it('that are too large for their share are not in memory', async () => {
    const listed = Array.from({ length: 10_000 }, (_, index) => `1.0.0-${index}`);
    const { tags, state, memory } = tagsOver(() => listed, createMemoryBudget(1_000_000));
    for (const _ of [1, 2]) {
      expect((await tags.toTry(repository, undefined, contextOf('alice'))).left).toBe(9_998);
    }
    expect(state.lists).toBe(2);
    expect(bytesIn(memory)).toBeLessThan(1_000);
  });
});
