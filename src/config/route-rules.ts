import type { RepositoryName } from '../../converters/reference.ts';
import { hostnameOf } from '../routing/authority.ts';
import { createRepositoryNames } from '../routing/repository-names.ts';
import { createVirtualHosts, type Routable, type VirtualHost } from '../routing/virtual-hosts.ts';
import { namesOfficialImages } from '../upstream/docker-hub.ts';
import type { SettingProblem } from './problem.ts';
import type { RouteSettings } from './route-settings.ts';
import { locate, mergeSources, type SettingSource } from './sources.ts';

/** A route whose own settings are valid. */
export interface CheckedRoute extends RouteSettings {
  /** The path of its keys in the file, like `routes[2].` */
  readonly location: string;
  /** The sources of its settings; the first one takes precedence. */
  readonly sources: readonly [SettingSource, ...SettingSource[]];
}

interface Checked extends CheckedRoute, Routable {
  /** Texts that are equal for two routes if clients need the same login for both. */
  readonly login: readonly (string | undefined)[];
}

/** Checks routes against each other; each of them is valid by itself. */
export function routeProblems(routes: readonly CheckedRoute[]): SettingProblem[] {
  const entries = routes.map((route) => ({
    ...route,
    repositoryNames: namesOf(route),
    login: loginOf(route),
  }));
  const hosts = createVirtualHosts(entries).all();
  return [
    ...hosts.flatMap(loginProblems),
    ...entries.flatMap((entry) => unreachable(entry, hosts)),
    ...entries.flatMap((entry) => ownProblems(entry)),
  ];
}

function namesOf({ match, settings }: RouteSettings) {
  const { REGSHIFT_ALIASES: aliases, REGSHIFT_UPSTREAM: upstreams = [] } = settings;
  return createRepositoryNames({ match, aliases, library: upstreams.some(namesOfficialImages) });
}

/**
 * Requires one login for all routes of a virtual host. Docker learns from `/v2/`, which names no route, how to log in,
 * stores one login for the host, and sends it with every request.
 */
function loginProblems({ routes: [first, ...others] }: VirtualHost<Checked>): SettingProblem[] {
  return others.flatMap((other) => {
    if (isEqual(first.login, other.login)) return relayProblems(first, other);
    const through = [first, other].find((each) => each.settings.REGSHIFT_UPSTREAM_AUTH === 'passthrough');
    const neighbour = through === first ? other : first;
    const apart = 'or one of the two needs a host or a port of its own (match)';
    if (through) {
      const message =
        `must be anonymous, or an account of the proxy (basic, docker-config, ecr, gcp, acr), because ${nameOf(neighbour)} is reached by the same host and ` +
        `clients keep one login for a host: it would not be for one upstream alone; ${apart}`;
      return [locate({ variable: 'REGSHIFT_UPSTREAM_AUTH', value: '', message }, through.sources)];
    }
    const message =
      `must be the same as in ${nameOf(first)}, with the same users, because both are reached by the same host and ` +
      `clients learn there once how to log in; ${apart}`;
    return [locate({ variable: 'REGSHIFT_CLIENT_AUTH', value: '', message }, other.sources)];
  });
}

/** Requires one way to get tokens for all routes of a virtual host: `/token` names no route either. */
function relayProblems(first: Checked, other: Checked): SettingProblem[] {
  const relayed = ({ settings }: Checked) =>
    settings.REGSHIFT_UPSTREAM_AUTH === 'passthrough' && settings.REGSHIFT_TOKEN_RELAY;
  if (relayed(first) === relayed(other)) return [];
  const message =
    `must be the same as in ${nameOf(first)}, because both are reached by the same host and clients get their ` +
    'tokens there in one way';
  return [locate({ variable: 'REGSHIFT_TOKEN_RELAY', value: '', message }, other.sources)];
}

function loginOf({ settings, sources }: CheckedRoute): Checked['login'] {
  const { REGSHIFT_UPSTREAM_AUTH: mode, REGSHIFT_UPSTREAM: upstreams = [] } = settings;
  if (mode === 'passthrough') return ['upstream', ...upstreams.map(({ href }) => href)];
  const { REGSHIFT_CLIENT_AUTH: clients = 'none', ...texts } = mergeSources(sources);
  if (clients === 'none') return [clients];
  const companions = ['HTPASSWD', 'JWKS', 'JWKS_URL', 'JWT_ISSUER', 'JWT_AUDIENCE'];
  return [clients, ...companions.map((each) => texts[`REGSHIFT_${each}`])];
}

/** A text may be a whole htpasswd file, of which many routes have the same. */
function isEqual(one: Checked['login'], other: Checked['login']): boolean {
  return one.length === other.length && one.every((text, at) => text === other[at]);
}

/** Reports the names that a route claims and never serves, because another route takes precedence. */
function unreachable(
  { location, id, match, repositoryNames, sources: [own] }: Checked,
  hosts: readonly VirtualHost<Checked>[],
): SettingProblem[] {
  const finds = (name: string, ns?: string) =>
    hosts.some((host) => host.find({ name: name as RepositoryName, ns })?.route.location === location);
  const wrong: [key: string, value: string][] = [
    ...match.paths.filter((path) => !finds(`${path}/x`)).map((path): [string, string] => ['path', path]),
    ...match.ns.filter((ns) => !finds('x', ns)).map((ns): [string, string] => ['ns', ns]),
    ...repositoryNames.aliases.all
      .filter((alias) => !finds(alias))
      .map((alias): [string, string] => ['alias', alias]),
  ];
  const shut =
    match.everything && !hosts.some(({ routes }) => routes.some((each) => each.location === location));
  const message = 'leads nowhere: an earlier route is for the same';
  const at = (key: string, value: string): SettingProblem => ({
    variable: `${location}${key}`,
    ...(own.location && { file: own.location.file }),
    value: JSON.stringify(value),
    message,
  });
  return [...wrong.map(([key, value]) => at(`match.${key}`, value)), ...(shut ? [at('match', id)] : [])];
}

function ownProblems(route: Checked): SettingProblem[] {
  const { match, settings, sources, repositoryNames } = route;
  const { REGSHIFT_UPSTREAM_AUTH: mode } = settings;
  const problems: SettingProblem[] = [];
  const add = (variable: string, message: string) =>
    problems.push(locate({ variable, value: '', message }, sources));
  const renames = match.paths.length > 0 || repositoryNames.aliases.all.length > 0;
  if (mode === 'passthrough' && settings.REGSHIFT_TOKEN_RELAY === 'never' && renames) {
    add(
      'REGSHIFT_TOKEN_RELAY',
      'must be always here: a token server knows repositories by no other name than upstream',
    );
  }
  if (leadsElsewhere(route)) {
    add(
      'REGSHIFT_PUBLIC_URL',
      'must stand in this route, because its host or port is one of its own (match)',
    );
  }
  return problems;
}

/** True if an inherited public URL would lead clients of this route to another route. */
function leadsElsewhere({ match, settings, sources: [own] }: Checked): boolean {
  const { REGSHIFT_PUBLIC_URL: url } = settings;
  const isOwn = own.values.REGSHIFT_PUBLIC_URL !== undefined;
  const named = url && match.hosts.some(({ hostname }) => hostname === hostnameOf(url));
  const apart = match.hosts.length > 0 || match.ports.length > 0;
  return url !== undefined && !isOwn && apart && !named;
}

function nameOf({ location }: Checked): string {
  return location.replace(/\.$/, '');
}
