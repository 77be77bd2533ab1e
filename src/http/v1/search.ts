import type { RepositoryName } from '../../../converters/reference.ts';
import type { Client } from '../../negotiation/client-profile.ts';
import { compareVersions, readVersion, type Version } from '../../negotiation/version.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import type { RepositoryNames } from '../../routing/repository-names.ts';
import type { VirtualHost } from '../../routing/virtual-hosts.ts';
import { listRepositories } from '../../upstream/api/catalog.ts';
import { listedName, type Route } from '../route.ts';
import { v1JsonResponse } from './responses.ts';

/** The page size of Docker Hub. */
const mostResults = 25;

/**
 * `GET /v1/search?q=<term>`, for `docker search <host>/<term>`: repositories of upstream's list that contain the
 * term, by the names that clients pull. It searches all routes of the host, since a term names none of them.
 * A description tells a user of an old Docker why it refuses a name, and other clients nothing.
 * @param lists one list per route.
 * @throws RegistryError of the first list if none can be read.
 */
export async function searchV1(
  lists: readonly Promise<readonly Found[]>[],
  request: ClientRequest,
): Promise<Response> {
  const { searchParams } = request.url;
  const query = searchParams.get('q') ?? '';
  const n = Number(searchParams.get('n') ?? mostResults);
  const most = Number.isInteger(n) && n > 0 ? Math.min(n, 100) : mostResults;
  const results = (await whatCanBeRead(lists))
    .filter(({ terms }) => terms.includes(query.toLowerCase()))
    .slice(0, most)
    .map(({ result }) => result);
  const answer = { query, num_results: results.length, results };
  return v1JsonResponse(answer, request, { 'Cache-Control': 'private' });
}

async function whatCanBeRead(lists: readonly Promise<readonly Found[]>[]): Promise<Found[]> {
  const settled = await Promise.allSettled(lists);
  const read = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const [failed] = settled.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
  if (read.length === 0 && failed !== undefined) throw failed;
  return read.flat();
}

/** A repository that a search can find. */
export interface Found {
  /** The text that the term is looked for in: its names, and not the hints. */
  readonly terms: string;
  readonly result: SearchResult;
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

/** The repositories of one route. @throws RegistryError. */
export async function searchable(
  host: VirtualHost<Route>,
  route: Route,
  request: ClientRequest,
): Promise<Found[]> {
  const repositories = await listRepositories(route.registry.client, request.context);
  const docker = dockerVersion(request.client);
  return repositories.flatMap((each) => {
    const name = listedName(host, route, each);
    return name === undefined ? [] : [found(name, each, route.repositoryNames, docker)];
  });
}

/** Docker prints the description beside the name. It is the only place to tell a user why a Docker refuses a name. */
function found(
  name: RepositoryName,
  repository: RepositoryName,
  { aliases }: RepositoryNames,
  docker: Version | undefined,
): Found {
  const alias = aliases.aliasOf(repository) === name ? `alias of ${repository}` : '';
  const description = alias || (docker ? refusalOf(name, docker) : '');
  const other = { star_count: 0, is_official: false, is_automated: false, is_trusted: false };
  return { terms: `${name} ${alias}`, result: { name, description, ...other } };
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
