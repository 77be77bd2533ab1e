import { describe, expect, it } from 'vitest';
import { parseTag } from '../../../../converters/reference.ts';
import { readNames } from '../../../../src/upstream/api/name-list.ts';

const read = (body: string, most = 100_000) =>
  readNames(new Response(body), { what: 'list of tags', key: 'tags', most, parse: parseTag });
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
      if (!ended) setTimeout(count, 0);
    };
    const names = read(listOf(90_000)).finally(() => {
      ended = true;
    });
    count();
    expect(await names).toHaveLength(90_000);
    expect(turns).toBeGreaterThan(4);
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
});
