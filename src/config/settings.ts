import { matchAll } from '../routing/match.ts';
import { portProblems } from './address.ts';
import { authProblems } from './auth-rules.ts';
import { certificateProblems } from './certificate-rules.ts';
import { eventProblems } from './events.ts';
import { fleetProblems } from './fleet.ts';
import { variableOf } from './keys.ts';
import { knownVariables, unknownVariables } from './near-misses.ts';
import { notSet, type RawSettings, type SettingProblem } from './problem.ts';
import { type ReadDocument, readDocument, withoutTopSettings } from './read-document.ts';
import { readRoutes } from './read-routes.ts';
import type { RouteSettings } from './route-settings.ts';
import { parseSources } from './route-settings.ts';
import type { Values, Variable } from './schema.ts';
import type { ReadFile } from './setting-files.ts';
import {
  createSource,
  distinct,
  locate,
  mergeSources,
  mergeWithUnreadable,
  type SettingSource,
  withoutSettings,
} from './sources.ts';

export { type Values, variables as settingNames } from './schema.ts';

/** The settings of the whole program, and of each of its routes. */
export interface Settings extends Values {
  readonly routes: readonly RouteSettings[];
}

export type ReadSettings = {
  /** Sentences about settings that have no effect, and probably should have. */
  readonly warnings: readonly string[];
} & (
  | { readonly settings: Settings }
  | {
      readonly problems: readonly SettingProblem[];
      /** The settings for all routes as text, right and wrong ones, for checks of the files that they name. */
      readonly raw: RawSettings;
    }
);

/** The rules of a runtime about settings. */
export interface RuntimeRules {
  /**
   * Finds settings that the runtime cannot have. No other problem is reported about them, and none asks for a setting that
   * belongs to them.
   * @param set all settings, also those whose file cannot be read. @param texts the others.
   */
  readonly refused?: (set: RawSettings, texts: RawSettings) => readonly SettingProblem[];
  /** Where a registry must be named: the end of `must be the URL of your registry …`. */
  readonly needsRegistry?: string;
}

/**
 * Reads the settings from variables and from the file that `REGSHIFT_CONFIG` names. An empty variable counts as not
 * set. A route takes precedence over variables, and variables over the top level of the file.
 * @param readFile reads the files that settings name; undefined on a runtime without files.
 * @param parse parses the text of the file: JSON, and YAML too if the runtime has a parser for it.
 * @param rules the rules of the runtime.
 * @returns the settings, or all problems at once, so that an operator can correct them together.
 */
export function readSettings(
  variables: Readonly<Record<string, unknown>>,
  readFile?: ReadFile,
  parse: (text: string) => unknown = JSON.parse,
  { refused: findRefused, needsRegistry }: RuntimeRules = {},
): ReadSettings {
  const sources = readSources(variables, readFile, parse);
  const written: readonly [SettingSource, ...SettingSource[]] = [sources.environment, sources.document.top];
  const refused = findRefused?.(mergeWithUnreadable(written), mergeSources(written)) ?? [];
  const names = refused.map(({ variable }) => variable);
  const environment = withoutSettings(sources.environment, names);
  const document = withoutTopSettings(sources.document, names);
  const shared: readonly [SettingSource, ...SettingSource[]] = [environment, document.top];
  const merged = mergeWithUnreadable(shared);
  const top = parseSources(shared);
  const missing = environment.values.REGSHIFT_CONFIG === undefined ? environment : document.top;
  const located = (problems: readonly SettingProblem[]) =>
    problems.map((problem) => locate(problem, shared, missing));
  const read = document.routes
    ? readRoutes(document.routes, shared)
    : {
        problems: located([
          ...forgottenUpstream(merged, needsRegistry ?? productionOf(variables)),
          ...authProblems(merged),
          ...certificateProblems(merged, 'REGSHIFT_UPSTREAM'),
        ]),
        routes: undefined,
      };
  const warnings = upstreamWithoutEffect(environment, document);
  const problems = [
    ...refused.map((problem) => locate(problem, written)),
    ...('problems' in top ? top.problems : []),
    ...environment.problems,
    ...document.problems,
    ...read.problems,
    ...located([
      ...fleetProblems(merged),
      ...certificateProblems(merged, 'REGSHIFT_TLS'),
      ...eventProblems(merged),
      ...portProblems(
        mergeSources(shared),
        document.routes?.map(({ match }) => match?.port ?? []),
      ),
    ]),
    ...unknownVariables(variables),
  ];
  if (problems.length > 0 || 'problems' in top) {
    return { problems: distinct(problems), raw: mergeSources(shared), warnings };
  }
  const { values } = top;
  const routes = read.routes ?? [{ id: 'all', match: matchAll, settings: values }];
  return { settings: { ...values, routes }, warnings };
}

/**
 * Reads some of the settings of the whole program, for a command that needs no others: problems of other settings are not
 * reported.
 * @param names the settings to read. The other parameters are those of `readSettings`.
 */
export function readSomeSettings<Name extends Variable>(
  names: readonly Name[],
  variables: Readonly<Record<string, unknown>>,
  readFile?: ReadFile,
  parse: (text: string) => unknown = JSON.parse,
): { readonly settings: Pick<Values, Name> } | { readonly problems: readonly SettingProblem[] } {
  const { environment, document } = readSources(variables, readFile, parse);
  const isNeeded = (variable = '') => names.some((name) => variable.replace(/_FILE$/, '') === name);
  const needed = (values: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(values).filter(([variable]) => isNeeded(variable)));
  const part = (source: SettingSource): SettingSource => ({
    ...source,
    values: needed(source.values),
    texts: needed(source.texts),
  });
  const parsed = parseSources([part(environment), part(document.top)]);
  // Without a file that can be read, it is not known what it sets.
  const problems = [
    ...[...environment.problems, ...document.problems].filter(
      ({ variable }) =>
        variable === 'REGSHIFT_CONFIG' ||
        isNeeded(variable) ||
        isNeeded(variableOf(variable.replace(/File$/, ''))),
    ),
    ...('problems' in parsed ? parsed.problems : []),
  ];
  if (problems.length > 0 || 'problems' in parsed) return { problems: distinct(problems) };
  return { settings: parsed.values };
}

interface ReadSources {
  readonly environment: SettingSource;
  readonly document: ReadDocument;
}

/** Reads the variables, and the file that `REGSHIFT_CONFIG` names. */
function readSources(
  variables: Readonly<Record<string, unknown>>,
  readFile: ReadFile | undefined,
  parse: (text: string) => unknown,
): ReadSources {
  const environment = createSource(undefined, nonEmpty(variables), readFile);
  const path = environment.values.REGSHIFT_CONFIG ?? '';
  const text = environment.texts.REGSHIFT_CONFIG;
  const beside = readFile && ((file: string) => readFile(file, text === path ? undefined : path));
  return {
    environment,
    document: readDocument(text, text === path ? 'REGSHIFT_CONFIG' : path, parse, beside),
  };
}

function nonEmpty(variables: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    knownVariables
      .map((name) => [name, variables[name]] as const)
      .filter((entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1].trim() !== ''),
  );
}

/** A service would serve the samples if its registry is forgotten. @param where it is one; undefined: it is none. */
function forgottenUpstream(
  merged: Readonly<Record<string, string>>,
  where: string | undefined,
): SettingProblem[] {
  if (where === undefined || merged.REGSHIFT_UPSTREAM !== undefined) return [];
  const message =
    `must be the URL of your registry, like https://registry.example, ${where}. For the built-in sample registry, set ` +
    'REGSHIFT_UPSTREAM=sample';
  return [{ variable: 'REGSHIFT_UPSTREAM', value: notSet, message }];
}

/** Finds a registry that no request reaches: an operator sets it, and the file has a registry for each route. */
function upstreamWithoutEffect({ texts }: SettingSource, { routes }: ReadDocument): string[] {
  const isUsed = routes?.some(({ source }) => source.values.REGSHIFT_UPSTREAM === undefined) ?? true;
  if (texts.REGSHIFT_UPSTREAM === undefined || isUsed) return [];
  return ['REGSHIFT_UPSTREAM has no effect: each route in REGSHIFT_CONFIG has its own upstream.'];
}

/** NODE_ENV is production in the container and the systemd unit. `npm start` of a clone serves the samples always. */
function productionOf(variables: Readonly<Record<string, unknown>>): string | undefined {
  const isService = variables.NODE_ENV === 'production' && !isNpmStart(variables);
  return isService ? 'because NODE_ENV is production' : undefined;
}

/** Whether `npm start` of a clone started this process, by the variables that npm gives to it. */
export function isNpmStart({
  npm_lifecycle_event: script,
  npm_package_name: name,
}: Readonly<Record<string, unknown>>): boolean {
  return script === 'start' && name === 'regshift';
}
