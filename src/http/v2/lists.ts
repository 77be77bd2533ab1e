import type { Handler } from 'hono';
import type { Tag } from '../../../converters/reference.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import type { RepositoryMapping } from '../../routing/repository-names.ts';
import { nextQuery } from '../../upstream/api/link.ts';
import { allTags, askForTags, tagsIn } from '../../upstream/api/tags.ts';
import { errorFromResponse } from '../../upstream/error-response.ts';
import { cacheControlFor } from '../cache-control.ts';
import type { Env } from '../env.ts';
import { linkToNext } from '../public-url.ts';
import { upstreamQuery } from '../upstream-query.ts';
import { listRefusal } from './list-refusal.ts';
import { namesResponse } from './names-response.ts';

/**
 * `GET /v2/<name>/tags/list`, page by page as upstream sends it. Docker before 1.12 reads one page only, so it gets
 * all pages in one.
 */
export const getTags: Handler<Env> = async (context) => {
  const { client } = context.get('route').registry;
  const request = context.get('request');
  const mapping = context.get('mapping');
  const { upstream: name } = mapping;
  // `n` and `last` for most registries, `next_page` for Quay.
  const asked = upstreamQuery(request.url);
  if (!request.client.profile.pages && asked === '') {
    return tagsAnswer(request, mapping, allTags(client, name, request.context), {});
  }
  const response = await askForTags(client, name, asked, request.context);
  // A 400 is a matter between client and registry.
  if (response.status === 400) return listRefusal(request, response, `tags of ${name}`, client);
  if (!response.ok) throw await errorFromResponse(response, `tags of ${name}`, 'NAME_UNKNOWN');
  const next = nextQuery(response.headers.get('link'));
  const stated = response.headers.get('cache-control');
  return tagsAnswer(request, mapping, tagsIn(client, response, name), { next, stated });
};

function tagsAnswer(
  request: ClientRequest,
  { client: shown }: RepositoryMapping,
  tags: AsyncIterable<readonly Tag[]>,
  { next, stated }: { readonly next?: string | undefined; readonly stated?: string | null },
): Promise<Response> {
  const link = linkToNext(request, `/v2/${shown}/tags/list`, next);
  const headers = { 'Cache-Control': cacheControlFor(request, stated), ...link };
  return namesResponse(request, `{"name":${JSON.stringify(shown)},"tags":[`, tags, headers);
}
