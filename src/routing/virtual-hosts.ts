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
  find(authority: Authority): VirtualHost<Route> | undefined;
  /** The virtual hosts at all hosts and ports that the routes name, and at one that no route names. */
  all(): VirtualHost<Route>[];
}

type Authority = Omit<RequestAuthority, 'origin'>;

/**
 * Finds routes by rules that do not depend on their order (docs/routes.md). The route that names the authority most
 * closely takes precedence; then an alias, ns and the longest path; last a route that serves every repository.
 */
export function createVirtualHosts<Route extends Routable>(routes: readonly Route[]): VirtualHosts<Route> {
  const byHost = portsByHost(routes);
  const known = new Map<string, VirtualHost<Route> | undefined>();

  function find(authority: Authority): VirtualHost<Route> | undefined {
    // Clients choose the Host header: all hosts and ports that no route names share one virtual host.
    const hostname = byHost.has(authority.hostname) ? authority.hostname : '';
    const named = byHost.get(hostname);
    const hostPort = named?.hostPorts.has(authority.hostPort) ? authority.hostPort : 0;
    const port = named?.ports.has(authority.port) ? authority.port : 0;
    const key = `${hostname} ${hostPort} ${port}`;
    if (!known.has(key)) known.set(key, virtualHostAt(routes, { hostname, hostPort, port }));
    return known.get(key);
  }

  return {
    find,
    all: () =>
      [...byHost].flatMap(([hostname, { hostPorts, ports }]) =>
        [...hostPorts].flatMap((hostPort) =>
          [...ports].flatMap((port) => find({ hostname, hostPort, port }) ?? []),
        ),
      ),
  };
}

/** The ports that routes name for each host name, with 0 for all others; the host name "" stands for all others. */
function portsByHost(routes: readonly Routable[]) {
  const portsAnywhere = routes.flatMap(({ match }) => (match.hosts.length === 0 ? match.ports : []));
  const anyPorts = () => ({ hostPorts: new Set([0]), ports: new Set([0, ...portsAnywhere]) });
  const byHost = new Map([['', anyPorts()]]);
  for (const { match } of routes) {
    for (const { hostname, port = 0 } of match.hosts) {
      const host = byHost.get(hostname) ?? anyPorts();
      byHost.set(hostname, host);
      host.hostPorts.add(port);
      for (const each of match.ports) host.ports.add(each);
    }
  }
  return byHost;
}

/** A route, and how closely it names the authority of a virtual host (`authorityRank`). */
interface Ranked<Route extends Routable> {
  readonly route: Route;
  readonly rank: number;
}

function virtualHostAt<Route extends Routable>(
  routes: readonly Route[],
  authority: Authority,
): VirtualHost<Route> | undefined {
  const candidates = routes
    .map((route) => ({ route, rank: authorityRank(route.match, authority) }))
    .filter((each): each is Ranked<Route> => each.rank !== undefined);
  candidates.sort((one, other) => other.rank - one.rank || everythingLast(one.route, other.route));
  // Routes after one that serves every repository are unreachable.
  const end = candidates.findIndex(({ route }) => route.match.everything);
  const ranked = end === -1 ? candidates : candidates.slice(0, end + 1);
  const [first, ...others] = ranked.map(({ route }) => route);
  if (first === undefined) return undefined;
  const byPart = byFirstPart(ranked);
  const namespaces = new Set(ranked.flatMap(({ route }) => route.match.ns));
  return {
    routes: [first, ...others],
    find(query) {
      const able = byPart.get(partOf(query.name)) ?? byPart.get('') ?? [];
      return find(able, query, isForeign(namespaces, query.ns));
    },
  };
}

/**
 * The routes for the first part of a name, in their order; "" for a part that is in no path. A list asks for the route of
 * each of its repositories, and there may be 1,000 routes.
 */
function byFirstPart<Route extends Routable>(ranked: readonly Ranked<Route>[]) {
  const forAnyName: Ranked<Route>[] = [];
  const byPart = new Map([['', forAnyName]]);
  for (const each of ranked) {
    const { match, repositoryNames } = each.route;
    if (match.everything || match.ns.length > 0 || repositoryNames.aliases.all.length > 0) {
      for (const list of byPart.values()) list.push(each);
      continue;
    }
    for (const part of new Set(match.paths.map(partOf))) {
      const list = byPart.get(part) ?? [...forAnyName];
      byPart.set(part, list);
      list.push(each);
    }
  }
  return byPart;
}

function partOf(name: RepositoryName): string {
  const slash = name.indexOf('/');
  return slash === -1 ? name : name.slice(0, slash);
}

function everythingLast({ match: one }: Routable, { match: other }: Routable): number {
  return Number(one.everything) - Number(other.everything);
}

function find<Route extends Routable>(
  ranked: readonly Ranked<Route>[],
  { name, ns }: RouteQuery,
  foreign: boolean,
): { readonly route: Route; readonly mapping: RepositoryMapping } | undefined {
  let best: (Ranked<Route> & { readonly mapping: RepositoryMapping }) | undefined;
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
function isForeign(namespaces: ReadonlySet<string>, ns: string | undefined): boolean {
  return ns !== undefined && namespaces.size > 0 && !namespaces.has(ns);
}
