import type { RepositoryName } from '../../converters/reference.ts';
import type { RequestAuthority } from './authority.ts';
import { authorityRank, type Match } from './match.ts';
import type { RepositoryMapping, RepositoryNames } from './repository-names.ts';

/** The part of a route that is needed to find it. */
export interface Routable {
  readonly match: Match;
  readonly repositoryNames: RepositoryNames;
}

/** The repository that a request names. */
export interface RouteQuery {
  readonly name: RepositoryName;
  /** The registry that containerd names in a request to a mirror. */
  readonly ns: string | undefined;
}

/** All routes at one host name and port, for which clients store one login. */
export interface VirtualHost<Route extends Routable> {
  /** The closest match first; only the last one may serve every repository. */
  readonly routes: readonly [Route, ...Route[]];
  /** The route for a repository, with its name at upstream. */
  find(query: RouteQuery): { readonly route: Route; readonly mapping: RepositoryMapping } | undefined;
}

export interface VirtualHosts<Route extends Routable> {
  /** @returns undefined if no route serves the authority. */
  find(authority: Omit<RequestAuthority, 'origin'>): VirtualHost<Route> | undefined;
}

/**
 * Finds routes by rules that do not depend on their order (docs/routes.md). The route that names the authority most
 * closely takes precedence; then an alias, ns and the longest path; last a route that serves every repository.
 */
export function createVirtualHosts<Route extends Routable>(routes: readonly Route[]): VirtualHosts<Route> {
  const sameForAll = routes.every(({ match }) => match.hosts.length === 0 && match.ports.length === 0);
  const only = sameForAll ? virtualHostAt(routes, anyAuthority) : undefined;
  return { find: (authority) => (sameForAll ? only : virtualHostAt(routes, authority)) };
}

const anyAuthority = { hostname: '', hostPort: 0, port: 0 };

function virtualHostAt<Route extends Routable>(
  routes: readonly Route[],
  authority: Omit<RequestAuthority, 'origin'>,
): VirtualHost<Route> | undefined {
  const candidates = routes
    .map((route) => ({ route, rank: authorityRank(route.match, authority) }))
    .filter((each): each is { route: Route; rank: number } => each.rank !== undefined);
  candidates.sort((one, other) => other.rank - one.rank || everythingLast(one.route, other.route));
  // Routes after one that serves every repository are unreachable.
  const end = candidates.findIndex(({ route }) => route.match.everything);
  const ranked = end === -1 ? candidates : candidates.slice(0, end + 1);
  const [first, ...others] = ranked.map(({ route }) => route);
  if (first === undefined) return undefined;
  let places: ReadonlyMap<string, readonly { readonly place: number }[]> | undefined;
  return {
    routes: [first, ...others],
    find(query) {
      places ??= placesByPart(ranked);
      const found = ['', partOf(query.name)].flatMap((part) => places?.get(part) ?? []);
      const inOrder = found.map(({ place }) => place).sort((one, other) => one - other);
      return find(
        inOrder.flatMap((place) => ranked[place] ?? []),
        query,
        isForeign(ranked, query.ns),
      );
    },
  };
}

/**
 * The places of routes by the first part of the names that they serve; "" for routes with other names than paths. A list
 * asks for the route of each of its repositories, and there may be 1,000 routes.
 */
function placesByPart(ranked: readonly { readonly route: Routable }[]) {
  const all = ranked.flatMap(({ route: { match, repositoryNames } }, place) => {
    const hasOthers = match.everything || match.ns.length > 0 || repositoryNames.aliases.all.length > 0;
    return [...new Set(hasOthers ? [''] : match.paths.map(partOf))].map((part) => ({ part, place }));
  });
  return Map.groupBy(all, ({ part }) => part);
}

function partOf(name: RepositoryName): string {
  return name.split('/', 1).join();
}

function everythingLast({ match: one }: Routable, { match: other }: Routable): number {
  return Number(one.everything) - Number(other.everything);
}

function find<Route extends Routable>(
  ranked: readonly { readonly route: Route; readonly rank: number }[],
  { name, ns }: RouteQuery,
  foreign: boolean,
): { readonly route: Route; readonly mapping: RepositoryMapping } | undefined {
  let best: { readonly route: Route; readonly mapping: RepositoryMapping; readonly rank: number } | undefined;
  for (const { route, rank } of ranked) {
    if (best && best.rank > rank) break;
    const mapping = route.repositoryNames.toUpstream(name, ns);
    if (mapping && !(foreign && mapping.rank === 0) && (!best || mapping.rank > best.mapping.rank)) {
      best = { route, mapping, rank };
    }
  }
  return best;
}

/**
 * True if routes name registries of containerd, and the request names another one. The route that serves every
 * repository must not answer it: an image of the same name there belongs to somebody else.
 */
function isForeign(ranked: readonly { readonly route: Routable }[], ns: string | undefined): boolean {
  if (ns === undefined) return false;
  const known = ranked.flatMap(({ route }) => route.match.ns);
  return known.length > 0 && !known.includes(ns);
}
