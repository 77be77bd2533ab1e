import type { Handler } from 'hono';
import { parseRepositoryName, type RepositoryName } from '../../../converters/reference.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import type { Registry } from '../../registry/registry.ts';
import type { VirtualHost } from '../../routing/virtual-hosts.ts';
import { askForRepositories, repositoriesIn } from '../../upstream/api/catalog.ts';
import { nextQuery } from '../../upstream/api/link.ts';
import { discard } from '../../upstream/body.ts';
import { errorFromResponse } from '../../upstream/error-response.ts';
import type { Env } from '../env.ts';
import { enterRoute } from '../middleware/routing.ts';
import type { Route } from '../route.ts';
import { upstreamQuery } from '../upstream-query.ts';
import { listRefusal } from './list-refusal.ts';
import { namesResponse } from './names-response.ts';

/** Maximum number of upstream's pages that one request reads to find a served repository. */
const mostPages = 10;

/**
 * `GET /v2/_catalog`, as distribution has it: the served repositories of upstream's list, by the client's names, page
 * by page as upstream sends them. With several routes behind one host, the lists follow each other. A route whose
 * upstream has no such list, like Docker Hub, is skipped.
 * @throws RegistryError.
 */
export const listCatalog: Handler<Env> = async (context) => {
  const host = context.get('host');
  const request = context.get('received');
  const begin = beginning(host, request.url);
  for (let at = begin.route; ; at += 1) {
    const route = host.routes[at];
    if (route === undefined) return pageAnswer(request, [], undefined);
    const query = at === begin.route ? begin.query : pageSize(request.url);
    const page = await pageOf(route.registry, enterRoute(context, route, undefined), query);
    if ('refusal' in page) {
      if (host.routes.length === 1)
        return listRefusal(request, page.refusal, 'list of repositories', route.registry.client);
      await discard(page.refusal);
      continue;
    }
    const isLast = at === host.routes.length - 1;
    // Some clients take an empty page for the last one.
    if (page.names.length === 0 && page.next === undefined && !isLast) continue;
    if (page.next !== undefined) return pageAnswer(request, page.names, inRoute(host, page.next, at));
    const rest = isLast ? undefined : inRoute(host, pageSize(request.url), at + 1);
    return pageAnswer(request, page.names, rest);
  }
};

interface Page {
  /** By the names that clients know. */
  readonly names: readonly RepositoryName[];
  /** The query of upstream's next page. */
  readonly next: string | undefined;
}

async function pageOf(
  registry: Registry,
  request: ClientRequest,
  first: string,
): Promise<Page | { readonly refusal: Response }> {
  let query = await registry.listCursors.open(first);
  for (let pages = 1; ; pages += 1) {
    const response = await askForRepositories(registry.client, query, request.context);
    if (response.status === 401)
      throw await errorFromResponse(response, 'list of repositories', 'NAME_UNKNOWN');
    if (!response.ok) return { refusal: response };
    const next = nextQuery(response.headers.get('link'));
    const { names, last, lastServed } = await servedOf(registry, response);
    if (names.length > 0 || next === undefined || next === query || pages === mostPages) {
      return { names, next: next && (await withoutHidden(registry, next, last, lastServed)) };
    }
    query = next;
  }
}

/** The served repositories of a page by the clients' names, and the last repositories of it by upstream's. */
async function servedOf(registry: Registry, response: Response) {
  const names: RepositoryName[] = [];
  let [last, lastServed]: (RepositoryName | undefined)[] = [];
  for await (const listed of repositoriesIn(registry.client, response)) {
    for (const name of listed) {
      last = name;
      const shown = registry.serves(name) ? registry.repositoryNames.toClient(name) : undefined;
      if (shown === undefined) continue;
      names.push(shown);
      lastServed = name;
    }
  }
  return { names, last, lastServed };
}

/**
 * Upstream's link continues after the last repository of its page. The proxy names the last one that it serves; where
 * it serves none of the page, clients get the place sealed.
 */
async function withoutHidden(
  { listCursors, servesAll }: Registry,
  next: string,
  last: RepositoryName | undefined,
  lastServed: RepositoryName | undefined,
): Promise<string> {
  if (servesAll || (lastServed !== undefined && last === lastServed)) return next;
  const query = new URLSearchParams(next);
  if (lastServed === undefined || query.get('last') !== last) return listCursors.seal(next);
  query.set('last', lastServed);
  return `?${query}`;
}

/**
 * The route whose list a request continues, and the query for its upstream. A client may continue from the last name
 * that it knows.
 */
function beginning({ routes, find }: VirtualHost<Route>, url: URL): { route: number; query: string } {
  const query = upstreamQuery(url, routeField);
  const named = routes.findIndex(({ id }) => id === url.searchParams.get(routeField));
  if (named !== -1) return { route: named, query };
  const last = parseRepositoryName(url.searchParams.get('last') ?? '');
  const found = last && find({ name: last, ns: undefined });
  if (!found) return { route: 0, query };
  const page = new URLSearchParams(query);
  page.set('last', found.mapping.upstream);
  return { route: routes.indexOf(found.route), query: `?${page}` };
}

/** The query parameter of a link that names the route; upstream's own parameters stay beside it. */
const routeField = 'route';

function inRoute({ routes }: VirtualHost<Route>, query: string, at: number): string {
  const id = routes[at]?.id;
  const alone = routes.length === 1 && routes[0].match.everything;
  if (id === undefined || alone) return query;
  return `${query}${query === '' ? '?' : '&'}${new URLSearchParams({ [routeField]: id })}`;
}

/** The query for a first page of the requested size. */
function pageSize({ searchParams }: URL): string {
  const n = searchParams.get('n');
  return n === null ? '' : `?${new URLSearchParams({ n })}`;
}

function pageAnswer(
  request: ClientRequest,
  repositories: readonly RepositoryName[],
  next: string | undefined,
): Promise<Response> {
  const link = next === undefined ? {} : { Link: `</v2/_catalog${next}>; rel="next"` };
  return namesResponse(request, '{"repositories":[', inParts(repositories), link);
}

/** Names that are written at once. */
const partLength = 4_000;

function* inParts<Name>(names: readonly Name[]): Generator<readonly Name[]> {
  for (let start = 0; start < names.length; start += partLength) yield names.slice(start, start + partLength);
}
