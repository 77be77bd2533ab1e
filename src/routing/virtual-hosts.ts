import type { RepositoryName } from '../../converters/reference.ts';
import type { RequestAuthority } from './authority.ts';
import { authorityRank, type Match } from './match.ts';
import type { RepositoryMapping, RepositoryNames } from './repository-names.ts';

/** A route, as far as finding it goes. */
export interface Routable {
  readonly match: Match;
  readonly repositoryNames: RepositoryNames;
}

/** What a request says of the repository that it wants. */
export interface RouteQuery {
  readonly name: RepositoryName;
  /** As containerd names the registry that it wants of a mirror. */
  readonly ns: string | undefined;
}

/** All routes that can be reached at one place: a host name, at a port. Clients keep one login for it. */
export interface VirtualHost<Route extends Routable> {
  /** The closest first; the last one may be for everything. Never empty. */
  readonly routes: readonly [Route, ...Route[]];
  /** The route for a repository, and what upstream calls that. */
  find(asked: RouteQuery): { readonly route: Route; readonly mapping: RepositoryMapping } | undefined;
}

export interface VirtualHosts<Route extends Routable> {
  /** @returns undefined where no route is for the place. */
  find(place: Omit<RequestAuthority, 'origin'>): VirtualHost<Route> | undefined;
}

/**
 * Finds routes by rules that do not depend on their order (docs/routes.md): first whoever names the place most
 * closely, then alias, ns and the longest path, and last what is for everything.
 */
export function createVirtualHosts<Route extends Routable>(routes: readonly Route[]): VirtualHosts<Route> {
  const sameForAll = routes.every(({ match }) => match.hosts.length === 0 && match.ports.length === 0);
  const one = sameForAll ? doorAt(routes, nowhere) : undefined;
  return { find: (place) => (sameForAll ? one : doorAt(routes, place)) };
}

const nowhere = { hostname: '', hostPort: 0, port: 0 };

function doorAt<Route extends Routable>(
  routes: readonly Route[],
  place: Omit<RequestAuthority, 'origin'>,
): VirtualHost<Route> | undefined {
  const here = routes
    .map((route) => ({ route, rank: authorityRank(route.match, place) }))
    .filter((each): each is { route: Route; rank: number } => each.rank !== undefined);
  here.sort((one, other) => other.rank - one.rank || everythingLast(one.route, other.route));
  // Whoever comes after one that is for everything has nothing left.
  const end = here.findIndex(({ route }) => route.match.everything);
  const ranked = end === -1 ? here : here.slice(0, end + 1);
  const [first, ...others] = ranked.map(({ route }) => route);
  if (first === undefined) return undefined;
  return { routes: [first, ...others], find: (asked) => find(ranked, asked) };
}

function everythingLast({ match: one }: Routable, { match: other }: Routable): number {
  return Number(one.everything) - Number(other.everything);
}

function find<Route extends Routable>(
  ranked: readonly { readonly route: Route; readonly rank: number }[],
  { name, ns }: RouteQuery,
): { readonly route: Route; readonly mapping: RepositoryMapping } | undefined {
  const foreign = isForeign(ranked, ns);
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
 * Where routes are told apart by the registry that containerd wants, what it wants of another one is not taken from
 * the route for everything: an image of the same name there is somebody else's.
 */
function isForeign(ranked: readonly { readonly route: Routable }[], ns: string | undefined): boolean {
  if (ns === undefined) return false;
  const known = ranked.flatMap(({ route }) => route.match.ns);
  return known.length > 0 && !known.includes(ns);
}
