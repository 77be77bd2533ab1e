import { digestOf } from '../../converters/digest.ts';
import type { RepositoryName } from '../../converters/reference.ts';
import { hostnameOf } from '../routing/authority.ts';
import type { HostRule, Match } from '../routing/match.ts';
import { authProblems } from './auth-rules.ts';
import { certificateProblems } from './certificate-rules.ts';
import type { RawMatch } from './document.ts';
import { notSet, type SettingProblem } from './problem.ts';
import type { RawRoute } from './read-document.ts';
import { type CheckedRoute, routeProblems } from './route-rules.ts';
import type { RouteSettings } from './route-settings.ts';
import { parseSources } from './route-settings.ts';
import { locate, mergeWithUnreadable, type SettingSource } from './sources.ts';

/** Reads the routes of a file. Each has its own settings and those that it inherits from the shared sources. */
export function readRoutes(
  routes: readonly RawRoute[],
  shared: readonly SettingSource[],
): { readonly problems: readonly SettingProblem[]; readonly routes: readonly RouteSettings[] } {
  const read = routes.map((route) => readRoute(route, shared));
  const problems = [...aliasesOfNoRoute(shared), ...read.flatMap((each) => each.problems)];
  const checked = read.flatMap(({ route }) => (route ? [route] : []));
  return { problems: [...problems, ...routeProblems(checked)], routes: checked };
}

function readRoute(
  { location, match = emptyMatch, source }: RawRoute,
  shared: readonly SettingSource[],
): { readonly problems: readonly SettingProblem[]; readonly route: CheckedRoute | undefined } {
  const own = withAliases(source, match.alias);
  const sources: [SettingSource, ...SettingSource[]] = [own, ...shared.map((each) => inherited(each, own))];
  const merged = mergeWithUnreadable(sources);
  const parsed = parseSources(sources);
  const problems = [
    ...('problems' in parsed ? parsed.problems : []),
    ...[
      ...authProblems(merged, new Set(Object.keys(own.texts))),
      ...withoutUpstream(merged),
      ...certificateProblems(merged, 'REGSHIFT_UPSTREAM'),
    ].map((problem) => locate(problem, sources)),
  ];
  if ('problems' in parsed) return { problems, route: undefined };
  const read = readMatch(match);
  return {
    problems,
    route: { id: idOf(read, match), match: read, settings: parsed.values, location, sources },
  };
}

/**
 * Adds the names of `match.alias` to those of `aliases`. `match.alias` alone also limits the route: it then serves no
 * other name.
 */
function withAliases(source: SettingSource, alias: string | undefined): SettingSource {
  if (alias === undefined) return source;
  const all = [source.texts.REGSHIFT_ALIASES, alias].filter((each) => each !== undefined).join(',');
  return {
    ...source,
    values: { ...source.values, REGSHIFT_ALIASES: all },
    texts: { ...source.texts, REGSHIFT_ALIASES: all },
  };
}

/**
 * The settings that a route inherits. Aliases belong to one route, a login to the upstream beside which it is set, and
 * the secret of a cloud to the key or client beside which it is set.
 */
function inherited(source: SettingSource, own: SettingSource): SettingSource {
  const names = [
    ...(own.texts.REGSHIFT_UPSTREAM === undefined ? ['REGSHIFT_ALIASES'] : ofOneUpstream),
    ...(own.texts.AWS_ACCESS_KEY_ID === undefined ? [] : ['AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN']),
    ...(own.texts.AZURE_CLIENT_ID === undefined ? [] : ['AZURE_CLIENT_SECRET']),
  ];
  const without = (from: SettingSource['values']) =>
    Object.fromEntries(Object.entries(from).filter(([name]) => !names.includes(name.replace(/_FILE$/, ''))));
  return { ...source, values: without(source.values), texts: without(source.texts) };
}

const ofOneUpstream = [
  'REGSHIFT_ALIASES',
  'REGSHIFT_UPSTREAM_USERNAME',
  'REGSHIFT_UPSTREAM_PASSWORD',
  'REGSHIFT_UPSTREAM_CERT',
  'REGSHIFT_UPSTREAM_KEY',
  'REGSHIFT_UPSTREAM_INSECURE',
];

function aliasesOfNoRoute(shared: readonly SettingSource[]): SettingProblem[] {
  const message = 'must stand in the route whose repositories it names';
  return shared
    .filter(({ texts }) => texts.REGSHIFT_ALIASES !== undefined)
    .map((source) => locate({ variable: 'REGSHIFT_ALIASES', value: 'set', message }, [source]));
}

function withoutUpstream(merged: Readonly<Record<string, string>>): SettingProblem[] {
  if (merged.REGSHIFT_UPSTREAM !== undefined) return [];
  return [{ variable: 'REGSHIFT_UPSTREAM', value: notSet, message: 'must be the registry of this route' }];
}

const emptyMatch: RawMatch = { host: [], port: [], path: [], ns: [] };

function readMatch({ host, port, path, ns, alias }: RawMatch): Match {
  return {
    hosts: host.map(readHost),
    ports: port,
    paths: path.map((each) => each.replace(/\/$/, '') as RepositoryName),
    ns,
    everything: path.length === 0 && ns.length === 0 && alias === undefined,
  };
}

/** The host is written as the URL of a request has it: `127.1` and `[0::1]` have other spellings there. */
function readHost(text: string): HostRule {
  const port = /:(\d+)$/.exec(text)?.[1];
  return { hostname: hostnameOf(new URL(`http://${text}`)), port: port === undefined ? port : Number(port) };
}

/** The longest id in characters: logs and the sealed state of API v1 have little room. */
const longestId = 60;

function idOf(match: Match, raw: RawMatch): string {
  const parts = Object.entries(raw).flatMap(([kind, values]) =>
    [values ?? []].flat().map((value: string | number) => `${kind}=${value}`),
  );
  const text = match.everything && parts.length === 0 ? 'all' : parts.join(' ');
  return text.length <= longestId
    ? text
    : `${text.slice(0, 40)} ${digestOf(new TextEncoder().encode(text)).slice(7, 19)}`;
}
