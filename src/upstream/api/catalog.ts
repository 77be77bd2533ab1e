import { parseRepositoryName, type RepositoryName } from '../../../converters/reference.ts';
import { catalogScope } from '../auth/scope.ts';
import { discard } from '../body.ts';
import type { UpstreamClient } from '../client.ts';
import { errorFromResponse } from '../error-response.ts';
import type { ApiContext } from '../request-context.ts';
import { nextQuery } from './link.ts';
import { namesIn } from './name-list.ts';
import { catalogPath } from './paths.ts';

const pageLength = 1000;
const mostPages = 10;

/**
 * Reads the repositories that upstream lists to this caller (`/v2/_catalog`, which is not in the distribution spec, and
 * which Docker Hub and others do not have).
 * @returns the first ten thousand, piece by piece; none if upstream has no list for this caller.
 * @throws RegistryError, also UNAUTHORIZED to a caller without a login: podman asks API v2 with its login after that.
 */
export async function* listRepositories(
  client: UpstreamClient,
  context: ApiContext,
): AsyncGenerator<readonly RepositoryName[]> {
  let left = pageLength * mostPages;
  let query: string | undefined = `?n=${pageLength}`;
  for (let page = 0; page < mostPages && query !== undefined; page += 1) {
    const response: Response = await askForRepositories(client, query, context);
    const isClosed = response.status === 401 && context.credential.kind === 'none';
    if (!isClosed && [401, 403, 404, 405].includes(response.status)) return discard(response);
    if (!response.ok) throw await errorFromResponse(response, 'list of repositories', 'NAME_UNKNOWN');
    const next = nextQuery(response.headers.get('link'));
    const before = left;
    for await (const names of repositoriesIn(client, response)) {
      yield names.slice(0, left);
      left -= names.length;
      // A page may have more names than the request asks for, up to 50 MB of them.
      if (left <= 0) return;
    }
    query = left < before && next !== query ? next : undefined;
  }
}

/** `GET` of one page of the list. @param query with its question mark; "" for the first page. */
export async function askForRepositories(
  client: UpstreamClient,
  query: string,
  { credential, signal, budget }: ApiContext,
): Promise<Response> {
  const { response } = await client.request({
    method: 'GET',
    path: catalogPath(query),
    scopes: [catalogScope],
    credential,
    budget,
    signal,
  });
  return response;
}

/** The most repositories of a page, which is kept whole to be filtered: 100 to 1,000 unless a client asks for more. */
export const mostOnPage = 200_000;

/** Reads the names of a page, piece by piece. @throws RegistryError UPSTREAM_ANSWER, UPSTREAM_CONTENT. */
export function repositoriesIn(
  { turn, answerMs }: Pick<UpstreamClient, 'turn' | 'answerMs'>,
  response: Response,
): AsyncGenerator<readonly RepositoryName[]> {
  const what = 'list of repositories';
  return namesIn(
    response,
    { what, key: 'repositories', most: mostOnPage, parse: parseRepositoryName },
    turn,
    answerMs,
  );
}
