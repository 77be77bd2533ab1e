import type { RepositoryName } from '../../../converters/reference.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import type { Registry } from '../../registry/registry.ts';
import type { RepositoryNames } from '../../routing/repository-names.ts';
import { listRepositories } from '../../upstream/api/catalog.ts';
import { v1JsonResponse } from './responses.ts';

/** The page size of Docker Hub. */
const mostResults = 25;

/**
 * `GET /v1/search?q=<term>`, for `docker search <host>/<term>`: repositories of upstream's list that contain the
 * term, by the names that clients pull. It searches all routes of the host, since a term names none of them.
 * @param lists one list per route.
 * @throws RegistryError of the first list if none can be read.
 */
export async function searchV1(
  lists: readonly Promise<readonly SearchResult[]>[],
  request: ClientRequest,
): Promise<Response> {
  const { searchParams } = request.url;
  const query = searchParams.get('q') ?? '';
  const n = Number(searchParams.get('n') ?? mostResults);
  const most = Number.isInteger(n) && n > 0 ? Math.min(n, 100) : mostResults;
  const results = (await whatCanBeRead(lists))
    .filter(({ name, description }) => `${name} ${description}`.includes(query.toLowerCase()))
    .slice(0, most);
  const answer = { query, num_results: results.length, results };
  return v1JsonResponse(answer, request, { 'Cache-Control': 'private' });
}

async function whatCanBeRead(lists: readonly Promise<readonly SearchResult[]>[]): Promise<SearchResult[]> {
  const settled = await Promise.allSettled(lists);
  const read = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const [failed] = settled.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
  if (read.length === 0 && failed !== undefined) throw failed;
  return read.flat();
}

/** The repositories of one route. @throws RegistryError. */
export async function searchable(registry: Registry, request: ClientRequest): Promise<SearchResult[]> {
  const repositories = await listRepositories(registry.client, request.context);
  return repositories.flatMap((each) =>
    registry.serves(each) ? resultOf(each, registry.repositoryNames) : [],
  );
}

/** Docker prints the description beside the name. It is the only place to tell a user why a Docker refuses a name. */
function resultOf(repository: RepositoryName, { toClient, aliases }: RepositoryNames): SearchResult[] {
  const name = toClient(repository);
  if (name === undefined) return [];
  const isAlias = aliases.aliasOf(repository) === name;
  const description = isAlias ? `alias of ${repository}` : whoCannotAsk(name);
  return [{ name, description, star_count: 0, is_official: false, is_automated: false, is_trusted: false }];
}

/** One result, with the fields of Docker Hub. */
export interface SearchResult {
  readonly name: RepositoryName;
  readonly description: string;
  readonly star_count: number;
  readonly is_official: boolean;
  readonly is_automated: boolean;
  readonly is_trusted: boolean;
}

/**
 * Docker checks names before it asks: 1.3 to 1.5 want a namespace of 4 to 30 letters, digits and `_`; versions up to
 * 1.7 want at most two parts (moby 1.3, registry.go, validateRepositoryName).
 */
function whoCannotAsk(name: RepositoryName): string {
  const [namespace = '', ...rest] = name.split('/');
  if (rest.length > 1) return 'Docker before 1.8 needs a name of two parts: set REGSHIFT_ALIASES';
  const narrow = rest.length === 0 || /^[a-z0-9_]{4,30}$/.test(namespace);
  return narrow ? '' : 'Docker before 1.6 needs a namespace of 4-30 letters and digits: set REGSHIFT_ALIASES';
}
