import { expect, it } from 'vitest';
import type { RepositoryName } from '../../../../converters/reference.ts';
import { listTags } from '../../../../src/upstream/api/tags.ts';
import type { UpstreamClient } from '../../../../src/upstream/client.ts';

it('reads the longest page of tags that is allowed', async () => {
  const tags = Array.from({ length: 200_000 }, (_, index) => `t${index}`);
  const client = {
    request: () => Promise.resolve({ response: Response.json({ name: 'team/app', tags }) }),
  } as unknown as UpstreamClient;
  const context = {} as Parameters<typeof listTags>[3];
  const found = await listTags(client, 'team/app' as RepositoryName, 300_000, context);
  expect(found).toHaveLength(tags.length);
});
