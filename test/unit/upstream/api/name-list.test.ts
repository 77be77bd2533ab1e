import { describe, expect, it } from 'vitest';
import type { TakeTurn } from '../../../../converters/ports.ts';
import { parseTag } from '../../../../converters/reference.ts';
import { createWorkTurns } from '../../../../src/concurrency/work-turns.ts';
import { type NameList, namesIn } from '../../../../src/upstream/api/name-list.ts';

async function readNames<Name>(response: Response, list: NameList<Name>, turn?: TakeTurn): Promise<Name[]> {
  const all: Name[] = [];
  for await (const names of namesIn(response, list, turn)) all.push(...names);
  return all;
}

const read = (body: string, most = 100_000, turn = createWorkTurns(setImmediate)) =>
  readNames(new Response(body), { what: 'list of tags', key: 'tags', most, parse: parseTag }, turn);
const listOf = (count: number) =>
  JSON.stringify({ tags: Array.from({ length: count }, (_, index) => `t${index}`) });

describe('readNames', () => {
  it('leaves out names that are not valid, and values that are no names', async () => {
    expect(await read('{"tags":["a","b c",1,null,"d"]}')).toEqual(['a', 'd']);
    expect(await read('{"tags":null}')).toEqual([]);
  });

  it('reads a long list in several turns of the event loop', async () => {
    let turns = 0;
    let ended = false;
    const count = () => {
      turns += 1;
      if (!ended) setImmediate(count);
    };
    const names = read(listOf(90_000)).finally(() => {
      ended = true;
    });
    count();
    expect(await names).toHaveLength(90_000);
    expect(turns).toBeGreaterThan(4);
  });

  it('shares the turns of the event loop among all lists', async () => {
    let inTurn = 0;
    let most = 0;
    const shared = createWorkTurns((begin) =>
      setImmediate(() => {
        inTurn = 0;
        begin();
      }),
    );
    const body = listOf(30_000);
    // Counts the names that all lists read in one turn.
    const parse = (text: string) => {
      inTurn += 1;
      most = Math.max(most, inTurn);
      return parseTag(text);
    };
    const list = { what: 'list of tags', key: 'tags', most: 100_000, parse };
    const all = await Promise.all(
      Array.from({ length: 10 }, () => readNames(new Response(body), list, shared)),
    );
    expect(all.every((names) => names.length === 30_000)).toBe(true);
    expect(most).toBeLessThanOrEqual(20_000);
  });

  it('refuses more names than it may have, and text that is no JSON', async () => {
    expect(await read(listOf(1_000), 1_000)).toHaveLength(1_000);
    const tooLong = {
      code: 'UPSTREAM_CONTENT',
      message: 'Upstream sent a list of tags with more than 1000 names.',
    };
    await expect(read(listOf(1_010), 1_000)).rejects.toMatchObject(tooLong);
    const invalid = { code: 'UPSTREAM_ANSWER', message: "Upstream's list of tags is not JSON." };
    await expect(read('<html>')).rejects.toMatchObject(invalid);
  });

  it('reads the names of the one list, and skips all else', async () => {
    const manifest = Object.fromEntries(
      Array.from({ length: 5_000 }, (_, index) => [`sha256:${index}`, { tag: ['x'] }]),
    );
    const google = { child: [], manifest, name: 'a/b', tags: ['a', 'b'], more: { tags: ['c'] } };
    expect(await read(JSON.stringify(google))).toEqual(['a', 'b']);
  });

  it.each([
    ['brackets in brackets', `{"x":${'['.repeat(1_000_000)}`, 'more than 500 levels'],
    ['many other values', `{"x":[${'0,'.repeat(300_000)}0],"tags":["a"]}`, 'more than 200000 other values'],
    [
      'much else',
      `{"x":"${'a'.repeat(5_000_000)}","tags":["a"]}`,
      `more than ${4 * 1024 * 1024} bytes without a name`,
    ],
  ])('refuses %s', async (_, body, found) => {
    const message = `Upstream sent a list of tags with ${found}.`;
    await expect(read(body)).rejects.toMatchObject({ code: 'UPSTREAM_CONTENT', message });
  });

  it('refuses a list that is shorter than announced, or not complete', async () => {
    const list = { what: 'list of tags', key: 'tags', most: 10, parse: parseTag };
    const short = new Response('{"tags":["a"]}', { headers: { 'Content-Length': '20' } });
    await expect(readNames(short, list)).rejects.toMatchObject({ code: 'UPSTREAM_ANSWER' });
    await expect(read('{"tags":["a"')).rejects.toMatchObject({ code: 'UPSTREAM_ANSWER' });
  });

  it('cancels the response when its reader leaves', async () => {
    let cancelled = false;
    const piece = new TextEncoder().encode(`{"tags":[${'"a",'.repeat(1_000)}`);
    const body = new ReadableStream({
      pull: (controller) => controller.enqueue(piece),
      cancel: () => {
        cancelled = true;
      },
    });
    const list = { what: 'list of tags', key: 'tags', most: 10_000, parse: parseTag };
    for await (const names of namesIn(new Response(body), list)) {
      expect(names).toHaveLength(1_000);
      break;
    }
    expect(cancelled).toBe(true);
  });
});
