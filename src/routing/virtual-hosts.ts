import type { RepositoryName } from '../../converters/reference.ts';
import type { Place } from './authority.ts';
import { type Match, placeRank } from './match.ts';
import type { Named, Names } from './repository-names.ts';

/** A route, as far as finding it goes. */
export interface Entry {
  readonly match: Match;
  readonly names: Names;
}

/** What a request says of the repository that it wants. */
export interface Asked {
  readonly name: RepositoryName;
  /** As containerd names the registry that it wants of a mirror. */
  readonly ns: string | undefined;
}

/** All routes that can be reached at one place: a host name, at a port. Clients keep one login for it. */
export interface Door<Route extends Entry> {
  /** The closest first; the last one may be for everything. Never empty. */
  readonly routes: readonly [Route, ...Route[]];
  /** The route for a repository, and what upstream calls that. */
  find(asked: Asked): { readonly route: Route; readonly named: Named } | undefined;
}

export interface Table<Route extends Entry> {
  /** @returns undefined where no route is for the place. */
  at(place: Omit<Place, 'origin'>): Door<Route> | undefined;
}

/**
 * Finds routes by rules that do not depend on their order (docs/routes.md): first whoever names the place most
 * closely, then alias, ns and the longest path, and last what is for everything.
 */
export function createTable<Route extends Entry>(routes: readonly Route[]): Table<Route> {
  const sameForAll = routes.every(({ match }) => match.hosts.length === 0 && match.ports.length === 0);
  const one = sameForAll ? doorAt(routes, nowhere) : undefined;
  return { at: (place) => (sameForAll ? one : doorAt(routes, place)) };
}

const nowhere = { hostname: '', hostPort: 0, port: 0 };

function doorAt<Route extends Entry>(
  routes: readonly Route[],
  place: Omit<Place, 'origin'>,
): Door<Route> | undefined {
  const here = routes
    .map((route) => ({ route, rank: placeRank(route.match, place) }))
    .filter((each): each is { route: Route; rank: number } => each.rank !== undefined);
  here.sort((one, other) => other.rank - one.rank || everythingLast(one.route, other.route));
  // Whoever comes after one that is for everything has nothing left.
  const end = here.findIndex(({ route }) => route.match.everything);
  const ranked = end === -1 ? here : here.slice(0, end + 1);
  const [first, ...others] = ranked.map(({ route }) => route);
  if (first === undefined) return undefined;
  return { routes: [first, ...others], find: (asked) => find(ranked, asked) };
}

function everythingLast({ match: one }: Entry, { match: other }: Entry): number {
  return Number(one.everything) - Number(other.everything);
}

function find<Route extends Entry>(
  ranked: readonly { readonly route: Route; readonly rank: number }[],
  { name, ns }: Asked,
): { readonly route: Route; readonly named: Named } | undefined {
  const foreign = isForeign(ranked, ns);
  let best: { readonly route: Route; readonly named: Named; readonly rank: number } | undefined;
  for (const { route, rank } of ranked) {
    if (best && best.rank > rank) break;
    const named = route.names.toUpstream(name, ns);
    if (named && !(foreign && named.rank === 0) && (!best || named.rank > best.named.rank)) {
      best = { route, named, rank };
    }
  }
  return best;
}

/**
 * Where routes are told apart by the registry that containerd wants, what it wants of another one is not taken from
 * the route for everything: an image of the same name there is somebody else's.
 */
function isForeign(ranked: readonly { readonly route: Entry }[], ns: string | undefined): boolean {
  if (ns === undefined) return false;
  const known = ranked.flatMap(({ route }) => route.match.ns);
  return known.length > 0 && !known.includes(ns);
}
