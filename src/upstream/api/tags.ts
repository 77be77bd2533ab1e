import { sha256Hex } from '../../../converters/digest.ts';
import { isTagOfDigest, parseTag, type RepositoryName, type Tag } from '../../../converters/reference.ts';
import { hasCode, ignoring } from '../../errors.ts';
import type { UpstreamClient } from '../client.ts';
import { errorFromResponse } from '../error-response.ts';
import type { ApiContext } from '../request-context.ts';
import { nextQuery } from './link.ts';
import { namesIn } from './name-list.ts';
import { tagsPath } from './paths.ts';

/** `GET` of one page of a repository's tags. @param query with its question mark; "" for the first page. */
export async function askForTags(
  client: UpstreamClient,
  repository: RepositoryName,
  query: string,
  { credential, signal, budget }: ApiContext,
): Promise<Response> {
  const { response } = await client.request({
    method: 'GET',
    path: tagsPath(repository, query),
    repository,
    credential,
    budget,
    signal,
  });
  return response;
}

/** How many tags of digests are read for each tag of the limit: a signed image has about three. */
const mostOfDigests = 10;

/**
 * Reads pages of tags until it has `limit` tags. Tags of digests, which are signatures and no images, come last: in
 * alphabetical order they come before `v1.0`.
 * @throws RegistryError.
 */
export async function listTags(
  client: UpstreamClient,
  repository: RepositoryName,
  limit: number,
  context: ApiContext,
): Promise<Tag[]> {
  const found: Tag[] = [];
  const ofDigests: Tag[] = [];
  for await (const tags of allTags(client, repository, context)) {
    // Not `push(...tags)`: the arguments of a call are on the stack, which a long page overflows.
    for (const tag of tags) (isTagOfDigest(tag) ? ofDigests : found).push(tag);
    if (found.length >= limit || ofDigests.length >= limit * mostOfDigests) break;
  }
  return found.concat(ofDigests).slice(0, limit);
}

/**
 * As `listTags`; empty where upstream does not know the repository. distribution does not know one that has blobs and no
 * tag yet, as in a first push.
 */
export async function listKnownTags(...query: Parameters<typeof listTags>): Promise<Tag[]> {
  return (await listTags(...query).catch(ignoring((error) => hasCode(error, 'NAME_UNKNOWN')))) ?? [];
}

/** The tags of all pages, piece by piece. Leaving the loop cancels the last response. @throws RegistryError. */
export async function* allTags(
  client: UpstreamClient,
  repository: RepositoryName,
  context: ApiContext,
): AsyncGenerator<readonly Tag[]> {
  let count = 0;
  /** By their hashes: a query may have 64 KiB. */
  const asked = new Set<string>();
  for (let query: string | undefined = ''; query !== undefined && count < mostInAll; ) {
    asked.add(sha256Hex(query));
    if (asked.size > mostPages) return;
    const response: Response = await askForTags(client, repository, query, context);
    if (!response.ok) throw await errorFromResponse(response, `tags of ${repository}`, 'NAME_UNKNOWN');
    const next = nextQuery(response.headers.get('link'));
    const before = count;
    for await (const tags of tagsIn(client, response, repository)) {
      count += tags.length;
      yield tags;
    }
    // A page that is empty, or that leads to an earlier one, would never end.
    query = count > before && next !== undefined && !asked.has(sha256Hex(next)) ? next : undefined;
  }
}

/** The most tags of a page. The largest public repositories have some 100,000, and registries without pages send all. */
const mostOnPage = 1_000_000;

/** The most tags of all pages together, so that pages without an end do end. */
const mostInAll = 1_000_000;

/** The most pages of one list: a registry could send pages of one tag for hours. Quay has 50 tags on a page. */
const mostPages = 10_000;

/** Reads the tags of a page, piece by piece. @throws RegistryError UPSTREAM_ANSWER, UPSTREAM_CONTENT. */
export function tagsIn(
  { turn, answerMs }: Pick<UpstreamClient, 'turn' | 'answerMs'>,
  response: Response,
  repository: RepositoryName,
): AsyncGenerator<readonly Tag[]> {
  const what = `list of tags of ${repository}`;
  return namesIn(response, { what, key: 'tags', most: mostOnPage, parse: parseTag }, turn, answerMs);
}
