import type { RepositoryName } from '../../converters/reference.ts';
import { createRepositoryNames } from '../routing/repository-names.ts';
import { createVirtualHosts, type Routable, type VirtualHost } from '../routing/virtual-hosts.ts';
import { isDockerHub } from '../upstream/docker-hub.ts';
import type { SettingProblem } from './problem.ts';
import type { RouteSettings } from './route-settings.ts';
import { locate, mergeSources, type SettingSource } from './sources.ts';

/** A route whose settings are right by themselves. */
export interface CheckedRoute extends RouteSettings {
  /** Like `routes[2].` */
  readonly place: string;
  readonly layers: readonly [SettingSource, ...SettingSource[]];
}

type Checked = CheckedRoute & Routable;

/** What is wrong between routes that are right by themselves (design, rule 8). */
export function routeProblems(routes: readonly CheckedRoute[]): SettingProblem[] {
  const entries = routes.map((route) => ({ ...route, repositoryNames: namesOf(route) }));
  const hosts = virtualHostsOf(entries);
  return [
    ...hosts.flatMap(loginProblems),
    ...entries.flatMap((entry) => unreachable(entry, hosts)),
    ...entries.flatMap((entry) => ownProblems(entry)),
  ];
}

function namesOf({ match, settings }: RouteSettings) {
  const { REGSHIFT_ALIASES: aliases, REGSHIFT_UPSTREAM: upstreams = [] } = settings;
  return createRepositoryNames({ match, aliases, library: upstreams.some(isDockerHub) });
}

/** Each place that the routes tell from others, and one that none of them names. */
function virtualHostsOf(entries: readonly Checked[]): VirtualHost<Checked>[] {
  const virtualHosts = createVirtualHosts(entries);
  const rules = entries.flatMap(({ match }) => match.hosts);
  const hostnames = new Set(['', ...rules.map(({ hostname }) => hostname)]);
  const hostPorts = new Set([0, ...rules.flatMap(({ port }) => port ?? [])]);
  const ports = new Set([0, ...entries.flatMap(({ match }) => match.ports)]);
  return [...hostnames].flatMap((hostname) =>
    [...hostPorts].flatMap((hostPort) =>
      [...ports].flatMap((port) => virtualHosts.find({ hostname, hostPort, port }) ?? []),
    ),
  );
}

/**
 * What clients reach by one host wants one login: Docker asks `/v2/` there, which names no route, how to log in, keeps
 * one login for the host, and sends it with every request.
 */
function loginProblems({ routes: [first, ...others] }: VirtualHost<Checked>): SettingProblem[] {
  return others.flatMap((other) => {
    if (loginOf(first) === loginOf(other)) return relayProblems(first, other);
    const through = [first, other].find((each) => each.settings.REGSHIFT_UPSTREAM_AUTH === 'passthrough');
    const neighbour = through === first ? other : first;
    const apart = 'or one of the two needs a host or a port of its own (match)';
    if (through) {
      const message =
        `must be anonymous, basic or docker-config, because ${nameOf(neighbour)} is reached by the same host and ` +
        `clients keep one login for a host: it would not be for one upstream alone; ${apart}`;
      return [locate({ variable: 'REGSHIFT_UPSTREAM_AUTH', value: '', message }, through.layers)];
    }
    const message =
      `must be the same as in ${nameOf(first)}, with the same users, because both are reached by the same host and ` +
      `clients learn there once how to log in; ${apart}`;
    return [locate({ variable: 'REGSHIFT_CLIENT_AUTH', value: '', message }, other.layers)];
  });
}

/** `/token` names no route either: one of them answers for all. */
function relayProblems(first: Checked, other: Checked): SettingProblem[] {
  const relayed = ({ settings }: Checked) =>
    settings.REGSHIFT_UPSTREAM_AUTH === 'passthrough' && settings.REGSHIFT_TOKEN_RELAY;
  if (relayed(first) === relayed(other)) return [];
  const message =
    `must be the same as in ${nameOf(first)}, because both are reached by the same host and clients get their ` +
    'tokens there in one way';
  return [locate({ variable: 'REGSHIFT_TOKEN_RELAY', value: '', message }, other.layers)];
}

function loginOf({ settings, layers }: Checked): string {
  const { REGSHIFT_UPSTREAM_AUTH: mode, REGSHIFT_UPSTREAM: upstreams } = settings;
  if (mode === 'passthrough') {
    return `upstream ${upstreams?.map(({ href }) => href)}`;
  }
  const { REGSHIFT_CLIENT_AUTH: clients = 'none', ...texts } = mergeSources(layers);
  if (clients === 'none') return clients;
  const whose = ['HTPASSWD', 'JWKS', 'JWKS_URL', 'JWT_ISSUER', 'JWT_AUDIENCE'];
  return JSON.stringify([clients, ...whose.map((each) => texts[`REGSHIFT_${each}`] ?? null)]);
}

/** What another route takes first is an error of whoever wrote it. */
function unreachable(
  { place, id, match, repositoryNames }: Checked,
  hosts: readonly VirtualHost<Checked>[],
): SettingProblem[] {
  const finds = (name: string, ns?: string) =>
    hosts.some((host) => host.find({ name: name as RepositoryName, ns })?.route.place === place);
  const wrong: [key: string, value: string][] = [
    ...match.paths.filter((path) => !finds(`${path}/x`)).map((path): [string, string] => ['path', path]),
    ...match.ns.filter((ns) => !finds('x', ns)).map((ns): [string, string] => ['ns', ns]),
    ...repositoryNames.aliases.all
      .filter((alias) => !finds(alias))
      .map((alias): [string, string] => ['alias', alias]),
  ];
  const shut = match.everything && !hosts.some(({ routes }) => routes.some((each) => each.place === place));
  const message = 'leads nowhere: an earlier route is for the same';
  return [
    ...wrong.map(([key, value]) => ({
      variable: `${place}match.${key}`,
      value: JSON.stringify(value),
      message,
    })),
    ...(shut ? [{ variable: `${place}match`, value: JSON.stringify(id), message }] : []),
  ];
}

function ownProblems(route: Checked): SettingProblem[] {
  const { match, settings, layers, repositoryNames } = route;
  const { REGSHIFT_UPSTREAM_AUTH: mode } = settings;
  const problems: SettingProblem[] = [];
  const add = (variable: string, message: string) =>
    problems.push(locate({ variable, value: '', message }, layers));
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

/** The address of the program as a whole would lead clients of this route to another one. */
function leadsElsewhere({ match, settings, layers: [own] }: Checked): boolean {
  const isOwn = own.values.REGSHIFT_PUBLIC_URL !== undefined;
  const named = match.hosts.some(({ hostname }) => hostname === settings.REGSHIFT_PUBLIC_URL?.hostname);
  const apart = match.hosts.length > 0 || match.ports.length > 0;
  return settings.REGSHIFT_PUBLIC_URL !== undefined && !isOwn && apart && !named;
}

function nameOf({ place }: Checked): string {
  return place.replace(/\.$/, '');
}
