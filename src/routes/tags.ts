import { limits } from '../../converters/limits.ts';
import type { RepositoryName } from '../../converters/reference.ts';
import { failureOf } from '../stored/upstream-answer.ts';
import { readBounded } from '../upstream/body.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import { bytesAnswer } from './answer.ts';
import type { ClientRequest } from './client-request.ts';

/** `GET /v2/<name>/tags/list`, page by page as upstream gives it. */
export async function answerTags(
  client: UpstreamClient,
  request: ClientRequest,
  name: RepositoryName,
): Promise<Response> {
  const query = new URLSearchParams();
  for (const key of ['n', 'last']) {
    const value = request.url.searchParams.get(key);
    if (value !== null) query.set(key, value);
  }
  const path = `/v2/${name}/tags/list`;
  const { response } = await client.request({
    method: 'GET',
    path: query.size > 0 ? `${path}?${query}` : path,
    repository: name,
    credential: request.caller.credential,
    ...(request.caller.signal ? { signal: request.caller.signal } : {}),
  });
  if (!response.ok) throw await failureOf(response, `tags of ${name}`, 'NAME_UNKNOWN');
  const link = nextPage(response.headers.get('link'), path);
  const body = await readBounded(response, limits.documentBytes, 'the list of tags');
  const headers = { 'Content-Type': 'application/json', ...(link ? { Link: link } : {}) };
  return bytesAnswer(body, headers, request.method === 'HEAD');
}

/** Upstream's link to the next page (RFC 8288), as a path of this proxy: its host may be one that clients cannot reach. */
function nextPage(header: string | null, path: string): string | undefined {
  const target = /<([^>]*)>\s*;\s*rel="?next"?/i.exec(header ?? '')?.[1];
  if (target === undefined) return undefined;
  const at = target.indexOf('?');
  return at === -1 ? undefined : `<${path}${target.slice(at)}>; rel="next"`;
}
