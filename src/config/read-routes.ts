import { digestOf } from '../../converters/digest.ts';
import type { RepositoryName } from '../../converters/reference.ts';
import type { HostRule, Match } from '../routing/match.ts';
import { authProblems } from './auth-rules.ts';
import type { GivenMatch } from './document.ts';
import type { SettingProblem } from './problem.ts';
import type { GivenRoute } from './read-document.ts';
import { type CheckedRoute, routeProblems } from './route-rules.ts';
import type { RouteSettings } from './route-settings.ts';
import { parseLayers } from './route-settings.ts';
import { type Layer, locate, mergeSaid } from './sources.ts';

/** The routes of a file, each with what it says itself and what holds for all. */
export function readRoutes(
  given: readonly GivenRoute[],
  shared: readonly Layer[],
): { readonly problems: readonly SettingProblem[]; readonly routes: readonly RouteSettings[] } {
  const read = given.map((route) => readRoute(route, shared));
  const problems = [...aliasesOfNoRoute(shared), ...read.flatMap((each) => each.problems)];
  const routes = read.flatMap(({ route }) => (route ? [route] : []));
  return { problems: [...problems, ...routeProblems(routes)], routes };
}

function readRoute(
  { place, match = nothing, layer }: GivenRoute,
  shared: readonly Layer[],
): { readonly problems: readonly SettingProblem[]; readonly route: CheckedRoute | undefined } {
  const own = withAliases(layer, match.alias);
  const layers: [Layer, ...Layer[]] = [own, ...shared.map((each) => inherited(each, own))];
  const merged = mergeSaid(layers);
  const parsed = parseLayers(layers);
  const problems = [
    ...('problems' in parsed ? parsed.problems : []),
    ...[...authProblems(merged, new Set(Object.keys(own.texts))), ...withoutUpstream(merged)].map((problem) =>
      locate(problem, layers),
    ),
  ];
  if ('problems' in parsed) return { problems, route: undefined };
  const read = readMatch(match);
  return { problems, route: { id: idOf(read, match), match: read, settings: parsed.values, place, layers } };
}

/** `match.alias` gives names, as `aliases` does, and says besides that there is nothing else to be had. */
function withAliases(layer: Layer, alias: string | undefined): Layer {
  if (alias === undefined) return layer;
  const all = [layer.texts.REGSHIFT_ALIASES, alias].filter((each) => each !== undefined).join(',');
  return {
    ...layer,
    set: { ...layer.set, REGSHIFT_ALIASES: all },
    texts: { ...layer.texts, REGSHIFT_ALIASES: all },
  };
}

/** A login is for the upstream beside which it stands, and aliases are. */
function inherited(layer: Layer, own: Layer): Layer {
  const names = own.texts.REGSHIFT_UPSTREAM === undefined ? ['REGSHIFT_ALIASES'] : ofOneUpstream;
  const without = (from: Layer['set']) =>
    Object.fromEntries(Object.entries(from).filter(([name]) => !names.includes(name.replace(/_FILE$/, ''))));
  return { ...layer, set: without(layer.set), texts: without(layer.texts) };
}

const ofOneUpstream = ['REGSHIFT_ALIASES', 'REGSHIFT_UPSTREAM_USERNAME', 'REGSHIFT_UPSTREAM_PASSWORD'];

function aliasesOfNoRoute(shared: readonly Layer[]): SettingProblem[] {
  const message = 'must stand in the route whose repositories it names';
  return shared
    .filter(({ texts }) => texts.REGSHIFT_ALIASES !== undefined)
    .map((layer) => locate({ variable: 'REGSHIFT_ALIASES', value: 'set', message }, [layer]));
}

function withoutUpstream(merged: Readonly<Record<string, string>>): SettingProblem[] {
  if (merged.REGSHIFT_UPSTREAM !== undefined) return [];
  return [{ variable: 'REGSHIFT_UPSTREAM', value: 'not set', message: 'must be the registry of this route' }];
}

const nothing: GivenMatch = { host: [], port: [], path: [], ns: [] };

function readMatch({ host, port, path, ns, alias }: GivenMatch): Match {
  return {
    hosts: host.map(readHost),
    ports: port,
    paths: path.map((each) => each.replace(/\/$/, '') as RepositoryName),
    ns,
    everything: path.length === 0 && ns.length === 0 && alias === undefined,
  };
}

function readHost(text: string): HostRule {
  const [, hostname = '', port] = /^(.*?)(?::(\d+))?$/.exec(text.toLowerCase()) ?? [];
  return { hostname, port: port === undefined ? undefined : Number(port) };
}

/** In logs and in claims of API v1, where room is short. */
const longestId = 60;

function idOf(match: Match, given: GivenMatch): string {
  const parts = Object.entries(given).flatMap(([kind, values]) =>
    [values ?? []].flat().map((value: string | number) => `${kind}=${value}`),
  );
  const text = match.everything && parts.length === 0 ? 'all' : parts.join(' ');
  return text.length <= longestId
    ? text
    : `${text.slice(0, 40)} ${digestOf(new TextEncoder().encode(text)).slice(7, 19)}`;
}
