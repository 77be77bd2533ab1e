import type { RepositoryName } from '../../../converters/reference.ts';
import type { Client } from '../../negotiation/client-profile.ts';
import { compareVersions, readVersion, type Version } from '../../negotiation/version.ts';
import { type ClientRequest, withCredentialOf } from '../../registry/client-request.ts';
import type { VirtualHost } from '../../routing/virtual-hosts.ts';
import { listRepositories } from '../../upstream/api/catalog.ts';
import { listedName, type Route } from '../route.ts';
import { v1JsonResponse } from './responses.ts';

/** The page size of Docker Hub. */
const mostResults = 25;

/** Lists that are read at the same time: a host may have 1,000 routes. */
const listsAtOnce = 16;

/**
 * `GET /v1/search?q=<term>`, for `docker search <host>/<term>`: repositories of upstream's list that contain the
 * term, by the names that clients pull. It searches all routes of the host, since a term names none of them.
 * A description tells a user of an old Docker why it refuses a name, and other clients nothing.
 * @throws RegistryError of the first list if none can be read.
 */
export async function searchV1(host: VirtualHost<Route>, request: ClientRequest): Promise<Response> {
  const { searchParams } = request.url;
  const query = searchParams.get('q') ?? '';
  const n = Number(searchParams.get('n') ?? mostResults);
  const most = Number.isInteger(n) && n > 0 ? Math.min(n, 100) : mostResults;
  const results = await searchRoutes(host, request, { term: query.toLowerCase(), most });
  const answer = { query, num_results: results.length, results };
  return v1JsonResponse(answer, request, { 'Cache-Control': 'private' });
}

interface Search {
  readonly term: string;
  readonly most: number;
}

/** Begins the routes in their order: with enough results, those that are left could only add to the end. */
async function searchRoutes(host: VirtualHost<Route>, request: ClientRequest, search: Search) {
  const found: SearchResult[][] = [];
  const failures: unknown[] = [];
  const remaining = host.routes.entries();
  let missing = search.most;
  const searchNext = async () => {
    for (const [at, route] of remaining) {
      if (missing <= 0) return;
      request.context.signal?.throwIfAborted();
      try {
        const results = await searchRoute(host, route, request, search);
        missing -= results.length;
        found[at] = results;
      } catch (error) {
        failures[at] = error;
      }
    }
  };
  await Promise.all(Array.from({ length: listsAtOnce }, searchNext));
  if (found.length === 0) throw failures[0];
  return found.flat().slice(0, search.most);
}

/** One result, with the fields of Docker Hub. */
interface SearchResult {
  readonly name: RepositoryName;
  readonly description: string;
  readonly star_count: number;
  readonly is_official: boolean;
  readonly is_automated: boolean;
  readonly is_trusted: boolean;
}

/** The first results in the list of one route. @throws RegistryError. */
async function searchRoute(
  host: VirtualHost<Route>,
  route: Route,
  request: ClientRequest,
  { term, most }: Search,
): Promise<SearchResult[]> {
  const { context } = withCredentialOf(request, route.login);
  const { client } = route.registry;
  const { toClient, aliases } = route.repositoryNames;
  const docker = dockerVersion(request.client);
  const results: SearchResult[] = [];
  for await (const repositories of listRepositories(client, context)) {
    for (const repository of repositories) {
      const alias = aliases.aliasOf(repository) === undefined ? '' : `alias of ${repository}`;
      // The term is looked for in the names, and not in the hints.
      if (!`${toClient(repository)} ${alias}`.includes(term)) continue;
      const name = listedName(host, route, repository);
      if (name !== undefined) results.push(resultOf(name, alias, docker));
      if (results.length === most) return results;
    }
  }
  return results;
}

/** Docker prints the description beside the name. It is the only place to tell a user why a Docker refuses a name. */
function resultOf(name: RepositoryName, alias: string, docker: Version | undefined): SearchResult {
  const description = alias || (docker ? refusalOf(name, docker) : '');
  return { name, description, star_count: 0, is_official: false, is_automated: false, is_trusted: false };
}

/** The version of an engine; undefined for other programs. */
function dockerVersion({ name }: Client): Version | undefined {
  return name.startsWith('docker/') ? readVersion(name.slice('docker/'.length)) : undefined;
}

/** Names that engines up to a version send a request for. */
interface NameRule {
  /** The first version that the rule does not hold for. */
  readonly before: Version;
  readonly names: RegExp;
  /** Completes "Docker before 1.5 needs ". */
  readonly needs: string;
}

/**
 * The rules of moby for names, the oldest first (registry/registry.go in 1.3 and 1.4, registry/config.go in 1.5 to 1.7,
 * registry/api/v2/names.go of distribution in 1.8 and 1.9). regshift serves no name that 1.10 refuses.
 */
const nameRules: readonly NameRule[] = [
  {
    before: [1, 5, 0],
    names: /^(?:[a-z0-9_]{4,30}\/)?[^/]+$/,
    needs: 'a namespace of 4-30 letters and digits',
  },
  {
    before: [1, 6, 0],
    names: /^(?!.*--.*\/)(?:[a-z0-9_-]{4,30}\/)?[^/]+$/,
    needs: 'a namespace of 4-30 letters, digits and single hyphens',
  },
  {
    before: [1, 8, 0],
    names: /^(?!.*--.*\/)(?:[a-z0-9_-]{2,}\/)?[^/]+$/,
    needs: 'a namespace of 2 or more letters, digits and single hyphens',
  },
  { before: [1, 9, 0], names: /^(?!.*(?:__|--))/, needs: 'a name without "__" and "--"' },
  { before: [1, 10, 0], names: /^(?!.*__)/, needs: 'a name without "__"' },
];

/** The reason why this Docker refuses a name before it asks for it; empty for most. */
function refusalOf(name: RepositoryName, docker: Version): string {
  if (compareVersions(docker, [1, 8, 0]) < 0 && name.split('/').length > 2)
    return 'Docker before 1.8 needs a name of two parts: set REGSHIFT_ALIASES';
  const rule = nameRules.find(({ before }) => compareVersions(docker, before) < 0);
  if (!rule || rule.names.test(name)) return '';
  const [major, minor] = rule.before;
  return `Docker before ${major}.${minor} needs ${rule.needs}: set REGSHIFT_ALIASES`;
}
