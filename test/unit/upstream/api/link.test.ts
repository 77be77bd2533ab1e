import { expect, it } from 'vitest';
import { nextQuery } from '../../../../src/upstream/api/link.ts';

it.each([
  ['</v2/a/tags/list?n=1&last=b>; rel="next"', '?n=1&last=b'],
  ['<https://x.test/?next_page=%3E>;rel=next', '?next_page=%3E'],
  ['<a?x>; rel="prev", <?b>; rel="next"', '?b'],
  ['<?b>; title="x"; rel="next"', '?b'],
  ['<?b>; title="a, b; rel=prev"; REL=Next', '?b'],
  ['<?b>; rel="prev next"', '?b'],
  ['<?a,b>; rel="next"', '?a,b'],
  ['<?b>; rel="next-archive"', undefined],
  ['<?b>; rel="prev"; rel="next"', undefined],
  ['<?b>; title="rel=next"', undefined],
  ['</v2/a/tags/list>; rel="next"', undefined],
  ['<?b', undefined],
  ['<?a>; title="x, <?b>; rel=next', undefined],
  ['<?b>; rel="next', '?b'],
  [null, undefined],
])('the next page of %j is %j', (header, query) => {
  expect(nextQuery(header)).toBe(query);
});

it('a header of many signs is read in time that grows with its length', () => {
  const started = performance.now();
  for (const sign of ['<', '<>', '<?>;"', '<>;a="\\', '<>,', '<>\\"']) nextQuery(sign.repeat(20_000));
  expect(performance.now() - started).toBeLessThan(2_000);
});
