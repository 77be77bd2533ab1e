import { limits } from '../../converters/limits.ts';
import { parseRepositoryName, type RepositoryName } from '../../converters/reference.ts';
import { Failure } from '../errors.ts';
import { discard, readBounded } from '../upstream/body.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import type { Caller } from './resolve.ts';
import { nextQuery } from './tag-list.ts';
import { failureOf } from './upstream-answer.ts';

const pageLength = 1000;
const mostPages = 10;

/**
 * The repositories that upstream lists to this caller (`/v2/_catalog`, which the distribution spec leaves out, and
 * which Docker Hub and others do not have).
 * @returns the first ten thousand; none where upstream has no list for this caller. @throws Failure.
 */
export async function listRepositories(client: UpstreamClient, caller: Caller): Promise<RepositoryName[]> {
  const found: RepositoryName[] = [];
  let query: string | undefined = `?n=${pageLength}`;
  for (let page = 0; page < mostPages && query !== undefined; page += 1) {
    const { names, next }: CataloguePage = await cataloguePage(client, query, caller);
    found.push(...names);
    query = names.length > 0 && next !== query ? next : undefined;
  }
  return found;
}

interface CataloguePage {
  readonly names: readonly RepositoryName[];
  readonly next: string | undefined;
}

async function cataloguePage(
  client: UpstreamClient,
  query: string,
  { credential, signal, budget }: Caller,
): Promise<CataloguePage> {
  const path = `/v2/_catalog${query}`;
  const { response } = await client.request({
    method: 'GET',
    path,
    credential,
    budget,
    ...(signal ? { signal } : {}),
  });
  if ([401, 403, 404, 405].includes(response.status)) {
    await discard(response);
    return { names: [], next: undefined };
  }
  if (!response.ok) throw await failureOf(response, 'list of repositories', 'NAME_UNKNOWN');
  const next = nextQuery(response.headers.get('link'));
  return {
    names: namesIn(await readBounded(response, limits.documentBytes, 'the list of repositories')),
    next,
  };
}

function namesIn(bytes: Uint8Array): RepositoryName[] {
  try {
    const { repositories } = JSON.parse(new TextDecoder().decode(bytes)) as { repositories?: unknown };
    if (!Array.isArray(repositories)) return [];
    return repositories.flatMap((name) => (typeof name === 'string' && parseRepositoryName(name)) || []);
  } catch (cause) {
    throw new Failure('UPSTREAM_ANSWER', "Upstream's list of repositories is not JSON.", { cause });
  }
}
