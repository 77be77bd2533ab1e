import { expect, it } from 'vitest';
import type { RepositoryName } from '../../../../converters/reference.ts';
import { listTags } from '../../../../src/upstream/api/tags.ts';
import type { UpstreamClient } from '../../../../src/upstream/client.ts';

const signature = (number: number) => `sha256-${number.toString(16).padStart(64, '0')}.sig`;
const signatures = (count: number) => Array.from({ length: count }, (_, index) => signature(index));

/** A registry that lists tags in pages. */
function paged(pages: readonly (readonly string[])[]) {
  let asked = 0;
  const request = ({ path }: { readonly path: string }) => {
    const page = Number(/last=(\d+)/.exec(path)?.[1] ?? 0);
    asked += 1;
    const link =
      page + 1 < pages.length ? `</v2/team/app/tags/list?last=${page + 1}>; rel="next"` : undefined;
    const response = Response.json({ name: 'team/app', tags: pages[page] });
    if (link) response.headers.set('Link', link);
    return Promise.resolve({ response });
  };
  const client = { request } as unknown as UpstreamClient;
  const list = (limit: number) =>
    listTags(client, 'team/app' as RepositoryName, limit, {} as Parameters<typeof listTags>[3]);
  return { list, asked: () => asked };
}

it('reads over the tags of signatures, which come last', async () => {
  const registry = paged([['1.0', ...signatures(6)], ['v1', 'v2'], ['v3']]);
  expect(await registry.list(3)).toEqual(['1.0', 'v1', 'v2']);
  expect(registry.asked()).toBe(2);
  expect(await registry.list(6)).toEqual(['1.0', 'v1', 'v2', 'v3', signature(0), signature(1)]);
});

it('ends at ten times as many tags of signatures', async () => {
  const registry = paged([signatures(20), ['v1']]);
  expect(await registry.list(2)).toEqual([signature(0), signature(1)]);
  expect(registry.asked()).toBe(1);
});

it('reads the longest page of tags that is allowed', async () => {
  const tags = Array.from({ length: 200_000 }, (_, index) => `t${index}`);
  const client = {
    request: () => Promise.resolve({ response: Response.json({ name: 'team/app', tags }) }),
  } as unknown as UpstreamClient;
  const context = {} as Parameters<typeof listTags>[3];
  const found = await listTags(client, 'team/app' as RepositoryName, 300_000, context);
  expect(found).toHaveLength(tags.length);
});

it('ends after 10,000 pages', async () => {
  const registry = paged(Array.from({ length: 10_010 }, (_, page) => [`t${page}`]));
  expect(await registry.list(20_000)).toHaveLength(10_000);
  expect(registry.asked()).toBe(10_000);
});
