import { matchAll } from '../routing/match.ts';
import { authProblems } from './auth-rules.ts';
import { fleetProblems } from './fleet.ts';
import { nearest } from './keys.ts';
import type { SettingProblem } from './problem.ts';
import { readDocument } from './read-document.ts';
import { readRoutes } from './read-routes.ts';
import type { RouteSettings } from './route-settings.ts';
import { parseLayers } from './route-settings.ts';
import { variables as settingNames, type Values } from './schema.ts';
import { serviceProblems } from './service.ts';
import { fileVariables, type ReadFile } from './setting-files.ts';
import { createSource, distinct, locate, mergeTexts, type SettingSource } from './sources.ts';

export { type Values, variables as settingNames } from './schema.ts';

/** What the operator has said: for the program as a whole, and for each of its routes. */
export interface Settings extends Values {
  readonly routes: readonly RouteSettings[];
}

export type ReadSettings = { readonly settings: Settings } | { readonly problems: readonly SettingProblem[] };

/**
 * Reads the settings from variables, and from the file that `REGSHIFT_CONFIG` names; empty ones count as not set.
 * What a route says goes before a variable, and a variable before the top of the file.
 * @param readFile for settings that may be a path; left out where there are no files.
 * @param parse reads the text of the file; JSON alone where a runtime knows no more.
 * @returns every problem at once, so that an operator mends them in one go.
 */
export function readSettings(
  variables: Readonly<Record<string, unknown>>,
  readFile?: ReadFile,
  parse: (text: string) => unknown = JSON.parse,
): ReadSettings {
  const environment = createSource(undefined, given(variables), readFile);
  const path = environment.values.REGSHIFT_CONFIG;
  const text = environment.texts.REGSHIFT_CONFIG;
  const beside = readFile && ((file: string) => readFile(file, text === path ? undefined : path));
  const document = readDocument(text, parse, beside);
  const shared: readonly [SettingSource, ...SettingSource[]] = [environment, document.top];
  const top = parseLayers(shared);
  const missing = path === undefined ? environment : document.top;
  const between = (problems: readonly SettingProblem[]) =>
    problems.map((problem) => locate(problem, shared, missing));
  const read = document.routes
    ? readRoutes(document.routes, shared)
    : { problems: between(authProblems(mergeTexts(shared))), routes: undefined };
  const problems = [
    ...('problems' in top ? top.problems : []),
    ...environment.problems,
    ...document.problems,
    ...read.problems,
    ...between([...fleetProblems(mergeTexts(shared)), ...serviceProblems(mergeTexts(shared))]),
    ...unknownVariables(variables),
  ];
  if (problems.length > 0 || 'problems' in top) return { problems: distinct(problems) };
  const { values } = top;
  const routes = read.routes ?? [{ id: 'all', match: matchAll, settings: values }];
  return { settings: { ...values, routes } };
}

const known = [...settingNames, ...fileVariables.map((variable) => `${variable}_FILE`)];

function given(variables: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    known
      .map((name) => [name, variables[name]] as const)
      .filter((entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1].trim() !== ''),
  );
}

/** A misspelt variable would silently do nothing. */
function unknownVariables(variables: Readonly<Record<string, unknown>>): SettingProblem[] {
  const ours = known.filter((name) => name.startsWith('REGSHIFT_'));
  return Object.keys(variables)
    .filter(
      (name) => name.startsWith('REGSHIFT_') && !known.includes(name) && name !== 'REGSHIFT_REQUIRE_PEERS',
    )
    .map((variable) => {
      const near = nearest(variable, ours);
      const instead = near ? `was ${near} meant?` : `there are ${ours.join(', ')}`;
      // Nobody knows what it was meant to hold.
      return { variable, value: '(not shown)', message: `is not a setting; ${instead}` };
    });
}
