import type { RepositoryName } from '../../converters/reference.ts';
import { clientName } from '../routing/names.ts';
import { tagPage } from '../stored/tag-list.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import { bytesAnswer } from './answer.ts';
import type { ClientRequest } from './client-request.ts';

/** `GET /v2/<name>/tags/list`, page by page as upstream gives it. */
export async function answerTags(
  client: UpstreamClient,
  request: ClientRequest,
  name: RepositoryName,
): Promise<Response> {
  const asked = new URLSearchParams();
  for (const key of ['n', 'last']) {
    const value = request.url.searchParams.get(key);
    if (value !== null) asked.set(key, value);
  }
  const { tags, next } = await tagPage(client, name, asked.size > 0 ? `?${asked}` : '', request.caller);
  const known = clientName(request.named, name);
  const body = new TextEncoder().encode(JSON.stringify({ name: known, tags }));
  const link = next === undefined ? {} : { Link: `</v2/${known}/tags/list${next}>; rel="next"` };
  return bytesAnswer(body, { 'Content-Type': 'application/json', ...link }, request.method === 'HEAD');
}
