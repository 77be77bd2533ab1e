import type { Handler } from 'hono';
import { parseRepositoryName, type RepositoryName } from '../../../converters/reference.ts';
import type { ClientRequest } from '../../registry/client-request.ts';
import type { Registry } from '../../registry/registry.ts';
import type { VirtualHost } from '../../routing/virtual-hosts.ts';
import { askForRepositories, mostOnPage, repositoriesIn } from '../../upstream/api/catalog.ts';
import { nextQuery } from '../../upstream/api/link.ts';
import { discard } from '../../upstream/body.ts';
import { errorFromResponse } from '../../upstream/error-response.ts';
import { cacheControl } from '../cache-control.ts';
import type { Env } from '../env.ts';
import { enterRoute } from '../middleware/routing.ts';
import { linkToNext } from '../public-url.ts';
import { listedName, type Route } from '../route.ts';
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
  let isPublic = true;
  const answer = (of: ClientRequest, names: readonly RepositoryName[], next: string | undefined) =>
    pageAnswer(of, names, next, isPublic);
  for (let at = begin.route; ; at += 1) {
    const route = host.routes[at];
    if (route === undefined) return answer(request, [], undefined);
    const query = at === begin.route ? begin.query : pageSize(request.url);
    const entered = enterRoute(context, route, undefined);
    isPublic &&= entered.context.credential.kind === 'none';
    const page = await catalogPage(host, route, entered, query);
    if ('refusal' in page) {
      const isAlone = host.routes.length === 1;
      // Docker Hub answers 401 to every login. A login of the client's own may be the one that is missing.
      if (page.refusal.status === 401 && (isAlone || route.login === 'passthrough'))
        throw await errorFromResponse(page.refusal, 'list of repositories', 'NAME_UNKNOWN');
      if (isAlone) return listRefusal(entered, page.refusal, 'list of repositories', route.registry.client);
      await discard(page.refusal);
      continue;
    }
    const isLast = at === host.routes.length - 1;
    // Some clients take an empty page for the last one.
    if (page.names.length === 0 && page.next === undefined && !isLast) continue;
    if (page.next !== undefined) return answer(entered, page.names, inRoute(host, page.next, at));
    const rest = isLast ? undefined : inRoute(host, pageSize(request.url), at + 1);
    return answer(entered, page.names, rest);
  }
};

/** A page of the list of one route. */
interface Page {
  /** By the names that clients know. */
  readonly names: readonly RepositoryName[];
  /** The query of upstream's next page. */
  readonly next: string | undefined;
}

/**
 * Reads upstream's pages until the client's page is full. The ends of pages would tell where hidden repositories are, so
 * a route that serves some alone asks for long pages, and fills its own with served repositories.
 * @param first the query of the page, as the client wrote it.
 */
export async function catalogPage(
  host: VirtualHost<Route>,
  route: Route,
  request: ClientRequest,
  first: string,
): Promise<Page | { readonly refusal: Response }> {
  const { registry } = route;
  // Another route may hide a repository, too.
  const listsAll = registry.servesAll && host.routes.length === 1;
  const length = lengthIn(first);
  const asked = Math.max(longPage, length ?? 0);
  // One name less than a page of upstream: the one more below is then on the same page, if all are served.
  const wanted = listsAll ? undefined : Math.min(length ?? asked, asked - 1);
  let query = await registry.listCursors.open(first);
  const found: Listed[] = [];
  // Without the name of its last repository in it, upstream's link is a place that only upstream knows.
  let isByName = query === first || lastIn(query) !== null;
  if (!listsAll) query = withLength(query, asked);
  for (let pages = 1; ; pages += 1) {
    const response = await askForRepositories(registry.client, query, request.context);
    if (!response.ok) return { refusal: response };
    const next = nextQuery(response.headers.get('link'));
    let last: RepositoryName | undefined;
    for await (const listed of repositoriesIn(registry.client, response)) {
      for (const own of listed) {
        last = own;
        const shown = listedName(host, route, own);
        if (shown !== undefined) found.push({ shown, own });
      }
    }
    isByName &&= next === undefined || lastIn(next) === last;
    // One more tells whether a page follows: upstream's next page may have hidden repositories alone.
    const isFull = found.length > (wanted ?? 0);
    if (isFull || next === undefined || next === query || pages === mostPages) {
      // A registry without pages sends all at once, and may not know `last`: the client gets all at once, too.
      const isAll = pages === 1 && next === undefined && length === undefined;
      const page = isByName && !isAll ? found.slice(0, wanted) : found;
      const hasMore = next !== undefined || page.length < found.length;
      const own = isByName ? page.at(-1)?.own : undefined;
      const names = page.map(({ shown }) => shown);
      if (!hasMore || listsAll) return { names, next };
      return { names, next: await nextPage(registry, next, own, length) };
    }
    query = next;
  }
}

/** A served repository. */
interface Listed {
  readonly shown: RepositoryName;
  readonly own: RepositoryName;
}

/**
 * The number of names that a query asks for; undefined where it names none, or no number. More than the longest page of
 * upstream would be read from several of them, of 50 MB each.
 */
function lengthIn(query: string): number | undefined {
  const n = Number(new URLSearchParams(query).get('n') ?? Number.NaN);
  return Number.isInteger(n) && n > 0 ? Math.min(n, mostOnPage) : undefined;
}

/** The name that a query continues after. */
function lastIn(query: string): string | null {
  return new URLSearchParams(query).get('last');
}

const longPage = 1_000;

/** A length that is no number goes, too: some registries send pages of their own length for it. */
function withLength(query: string, length: number): string {
  const page = new URLSearchParams(query);
  page.set('n', String(length));
  return `?${page}`;
}

/**
 * Upstream's link continues after the last repository of its page. The proxy names the last one that it serves. Where
 * there is none, clients get the place sealed.
 */
async function nextPage(
  { listCursors }: Registry,
  next: string | undefined,
  lastServed: RepositoryName | undefined,
  length: number | undefined,
): Promise<string> {
  const query =
    lastServed === undefined
      ? new URLSearchParams(await listCursors.seal(next ?? ''))
      : new URLSearchParams({ last: lastServed });
  if (length !== undefined) query.set('n', String(length));
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
  isPublic: boolean,
): Promise<Response> {
  const headers = { 'Cache-Control': cacheControl(isPublic), ...linkToNext(request, '/v2/_catalog', next) };
  return namesResponse(request, '{"repositories":[', inParts(repositories), headers);
}

/** Names that are written at once. */
const partLength = 4_000;

function* inParts<Name>(names: readonly Name[]): Generator<readonly Name[]> {
  for (let start = 0; start < names.length; start += partLength) yield names.slice(start, start + partLength);
}
