import type { RepositoryName } from '../../../converters/reference.ts';
import type { Aliases } from '../../config/aliases.ts';
import { listRepositories } from '../../stored/catalogue.ts';
import type { ClientRequest } from '../client-request.ts';
import { jsonAnswer } from './answer.ts';
import type { RegistryV1 } from './registry.ts';

/** As many as Docker Hub gave to a page. */
const mostResults = 25;

/**
 * `GET /v1/search?q=<term>`, for `docker search <host>/<term>`: repositories of upstream's list whose names have the
 * term in them, by the names that they can be pulled by.
 */
export async function answerSearch({ route }: RegistryV1, request: ClientRequest): Promise<Response> {
  const { searchParams } = request.url;
  const query = searchParams.get('q') ?? '';
  const n = Number(searchParams.get('n') ?? mostResults);
  const most = Number.isInteger(n) && n > 0 ? Math.min(n, 100) : mostResults;
  const names = await listRepositories(route.client, request.caller);
  const results = names
    .filter((name) => route.serves(name))
    .map((name) => resultOf(name, route.aliases))
    .filter(({ name, description }) => `${name} ${description}`.includes(query.toLowerCase()))
    .slice(0, most);
  const answer = { query, num_results: results.length, results };
  return jsonAnswer(answer, request, { 'Cache-Control': 'private' });
}

/** Docker prints the description beside the name: the one place where a user is told why a name will not do. */
function resultOf(repository: RepositoryName, aliases: Aliases) {
  const name = aliases.aliasOf(repository) ?? repository;
  const description = name === repository ? whoCannotAsk(name) : `alias of ${repository}`;
  return { name, description, star_count: 0, is_official: false, is_automated: false, is_trusted: false };
}

/**
 * Docker checks names before it asks: 1.3 to 1.5 want a namespace of 4 to 30 letters, digits and `_`; up to 1.7, at
 * most two parts (clients.md, "Registry API v1"; moby 1.3, registry.go, validateRepositoryName).
 */
function whoCannotAsk(name: RepositoryName): string {
  const [namespace = '', ...rest] = name.split('/');
  if (rest.length > 1) return 'Docker before 1.8 needs a name of two parts: set REGSHIFT_ALIASES';
  const narrow = rest.length === 0 || /^[a-z0-9_]{4,30}$/.test(namespace);
  return narrow ? '' : 'Docker before 1.6 needs a namespace of 4-30 letters and digits: set REGSHIFT_ALIASES';
}
