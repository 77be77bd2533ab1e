import type { Handler } from 'hono';
import { parseRepositoryName, type RepositoryName } from '../../../converters/reference.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import type { Registry } from '../../registry/registry.ts';
import type { VirtualHost } from '../../routing/virtual-hosts.ts';
import { askForRepositories, repositoriesIn } from '../../upstream/api/catalog.ts';
import { nextQuery } from '../../upstream/api/tags.ts';
import { discard } from '../../upstream/body.ts';
import { errorFromResponse } from '../../upstream/error-response.ts';
import type { Env } from '../env.ts';
import { forwardResponse } from '../forward-response.ts';
import { enterRoute } from '../middleware/routing.ts';
import { bytesResponse } from '../responses.ts';
import type { Route } from '../route.ts';
import { pageQuery } from './tags.ts';

/** Pages of upstream that one request may read to find a repository that is served. */
const mostPages = 10;

/**
 * `GET /v2/_catalog`, as distribution has it: of the repositories that upstream lists to this caller those that are
 * served here, by the names that clients know, page by page as upstream gives them. Where several routes are behind
 * one host, one comes after the other; those whose upstream has no such list, as Docker Hub, are passed over.
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
      if (host.routes.length === 1) return forwardResponse(request, page.refusal);
      await discard(page.refusal);
      continue;
    }
    const isLast = at === host.routes.length - 1;
    // Some clients take a page without an entry for the last one.
    if (page.names.length === 0 && page.next === undefined && !isLast) continue;
    if (page.next !== undefined) return pageAnswer(request, page.names, inRoute(host, page.next, at));
    const rest = isLast ? undefined : inRoute(host, pageSize(request.url), at + 1);
    return pageAnswer(request, page.names, rest);
  }
};

interface Page {
  /** As clients know them. */
  readonly names: readonly RepositoryName[];
  /** The query of upstream's next page. */
  readonly next: string | undefined;
}

async function pageOf(
  registry: Registry,
  request: ClientRequest,
  first: string,
): Promise<Page | { readonly refusal: Response }> {
  let query = first;
  for (let pages = 1; ; pages += 1) {
    const response = await askForRepositories(registry.client, query, request.context);
    if (response.status === 401)
      throw await errorFromResponse(response, 'list of repositories', 'NAME_UNKNOWN');
    if (!response.ok) return { refusal: response };
    const next = nextQuery(response.headers.get('link'));
    const listed = await repositoriesIn(response);
    const served = listed.filter((name) => registry.serves(name) && registry.repositoryNames.toClient(name));
    if (served.length > 0 || next === undefined || next === query || pages === mostPages) {
      const names = served.flatMap((name) => registry.repositoryNames.toClient(name) ?? []);
      return { names, next: next && withoutHidden(next, listed, served) };
    }
    query = next;
  }
}

/** Upstream's link goes on after the last name that it listed, which may be one that is not served here. */
function withoutHidden(
  next: string,
  listed: readonly RepositoryName[],
  served: readonly RepositoryName[],
): string {
  const query = new URLSearchParams(next);
  const last = served.at(-1);
  if (last === undefined || query.get('last') !== listed.at(-1)) return next;
  query.set('last', last);
  return `?${query}`;
}

/** Which route's list a request begins in, and where: a client may go on from the last name that it was told. */
function beginning({ routes, find }: VirtualHost<Route>, url: URL): { route: number; query: string } {
  const query = pageQuery(url, routeField);
  const named = routes.findIndex(({ id }) => id === url.searchParams.get(routeField));
  if (named !== -1) return { route: named, query };
  const last = parseRepositoryName(url.searchParams.get('last') ?? '');
  const found = last && find({ name: last, ns: undefined });
  if (!found) return { route: 0, query };
  const page = new URLSearchParams(query);
  page.set('last', found.mapping.upstream);
  return { route: routes.indexOf(found.route), query: `?${page}` };
}

/** Says in a link whose list it is of: upstream's own query may be of any kind. */
const routeField = 'route';

function inRoute({ routes }: VirtualHost<Route>, query: string, at: number): string {
  const id = routes[at]?.id;
  const alone = routes.length === 1 && routes[0].match.everything;
  if (id === undefined || alone) return query;
  return `${query}${query === '' ? '?' : '&'}${new URLSearchParams({ [routeField]: id })}`;
}

/** The query of a first page as long as the one that is asked for. */
function pageSize({ searchParams }: URL): string {
  const n = searchParams.get('n');
  return n === null ? '' : `?${new URLSearchParams({ n })}`;
}

function pageAnswer(
  request: ClientRequest,
  repositories: readonly RepositoryName[],
  next: string | undefined,
): Response {
  const body = new TextEncoder().encode(JSON.stringify({ repositories }));
  const link = next === undefined ? {} : { Link: `</v2/_catalog${next}>; rel="next"` };
  return bytesResponse(body, { 'Content-Type': 'application/json', ...link }, request.method === 'HEAD');
}
