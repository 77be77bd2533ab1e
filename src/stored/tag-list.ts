import { limits } from '../../converters/limits.ts';
import { parseTag, type RepositoryName, type Tag } from '../../converters/reference.ts';
import { Failure } from '../errors.ts';
import { readBounded } from '../upstream/body.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import type { Caller } from './resolve.ts';
import { failureOf } from './upstream-answer.ts';

/** One page of a repository's tags. */
export interface TagPage {
  readonly tags: readonly Tag[];
  /** The query of the next page, like `?n=100&last=v2`; absent on the last one. */
  readonly next: string | undefined;
}

/** @param query of the page, with its question mark; "" for the first. @throws Failure. */
export async function tagPage(
  client: UpstreamClient,
  repository: RepositoryName,
  query: string,
  { credential, signal, budget }: Caller,
): Promise<TagPage> {
  const { response } = await client.request({
    method: 'GET',
    path: `/v2/${repository}/tags/list${query}`,
    repository,
    credential,
    budget,
    ...(signal ? { signal } : {}),
  });
  if (!response.ok) throw await failureOf(response, `tags of ${repository}`, 'NAME_UNKNOWN');
  const next = nextQuery(response.headers.get('link'));
  const bytes = await readBounded(response, limits.documentBytes, 'the list of tags');
  return { tags: tagsIn(bytes, repository), next };
}

/** The tags of as many pages as it takes to have `limit` of them. @throws Failure. */
export async function listTags(
  client: UpstreamClient,
  repository: RepositoryName,
  limit: number,
  caller: Caller,
): Promise<Tag[]> {
  const found: Tag[] = [];
  let query: string | undefined = '';
  while (query !== undefined && found.length < limit) {
    const page: TagPage = await tagPage(client, repository, query, caller);
    found.push(...page.tags);
    // A page that is empty or names itself would never end.
    query = page.tags.length > 0 && page.next !== query ? page.next : undefined;
  }
  return found.slice(0, limit);
}

/** Upstream's link to the next page (RFC 8288); only its query counts, whatever host it names. */
export function nextQuery(header: string | null): string | undefined {
  const target = /<([^>]*)>\s*;\s*rel="?next"?/i.exec(header ?? '')?.[1];
  const at = target?.indexOf('?') ?? -1;
  return at === -1 ? undefined : target?.slice(at);
}

function tagsIn(bytes: Uint8Array, repository: RepositoryName): Tag[] {
  try {
    const { tags } = JSON.parse(new TextDecoder().decode(bytes)) as { tags?: unknown };
    // A repository without tags has null here (docker-registry 2.8.2).
    return Array.isArray(tags) ? tags.flatMap((tag) => (typeof tag === 'string' && parseTag(tag)) || []) : [];
  } catch (cause) {
    throw new Failure('UPSTREAM_ANSWER', `Upstream's list of tags of ${repository} is not JSON.`, { cause });
  }
}
