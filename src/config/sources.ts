import { keyOf, withFileKeys } from './keys.ts';
import type { SettingProblem } from './problem.ts';
import type { Variable } from './schema.ts';
import { withFiles } from './setting-files.ts';

/** Settings that were said in one place: in variables, at the top of a file, or in a route of it. */
export interface SettingSource {
  /** Where in a file, like `routes[2].`; undefined for variables. */
  readonly location: string | undefined;
  /** By variable, as they were said. */
  readonly values: Readonly<Record<string, string>>;
  /** The same, files read. */
  readonly texts: Readonly<Record<string, string>>;
  readonly problems: readonly SettingProblem[];
}

export function createSource(
  place: string | undefined,
  set: Readonly<Record<string, string>>,
  readFile: ((path: string) => string) | undefined,
): SettingSource {
  const { texts, problems } = withFiles(set, readFile);
  return { location: place, values: set, texts, problems: problems.map((problem) => placed(problem, place)) };
}

/** What holds where several layers say something: of each setting, what the first one says. */
export function mergeSources(layers: readonly SettingSource[]): Record<string, string> {
  return Object.assign({}, ...layers.map(({ texts }) => texts).reverse());
}

/** The same, with what could not be read from its file: it was said, and is not missing. */
export function mergeTexts(layers: readonly SettingSource[]): Record<string, string> {
  const said = layers.map(({ values, texts }) => {
    const names = Object.entries(values).map(([name, value]) => [name.replace(/_FILE$/, ''), value]);
    return { ...Object.fromEntries(names), ...texts } as Record<string, string>;
  });
  return Object.assign({}, ...said.reverse());
}

/**
 * A problem with a variable, told of the place where that was said, in the words of that place.
 * @param layers the first one has the say.
 * @param missing where something should be that is nowhere.
 */
export function locate(
  problem: SettingProblem,
  layers: readonly [SettingSource, ...SettingSource[]],
  missing: SettingSource = layers[0],
): SettingProblem {
  const { variable } = problem;
  const owner = layers.find(({ values }) => says(values, variable)) ?? missing;
  const said = owner.values[variable];
  return placed({ ...problem, value: problem.value || redacted(variable, said) }, owner.location);
}

function says(set: Readonly<Record<string, string>>, variable: string): boolean {
  return set[variable] !== undefined || set[`${variable}_FILE`] !== undefined;
}

function placed(problem: SettingProblem, place: string | undefined): SettingProblem {
  if (place === undefined) return problem;
  const { variable, value, message } = problem;
  return { variable: `${place}${keyOf(variable)}`, value, message: withFileKeys(message) };
}

export function redacted(variable: Variable | string, value: unknown): string {
  if (value === undefined) return 'not set';
  if (Array.isArray(value) && value.length > 0) return 'a list';
  // Whatever is inside may be secret.
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return 'a mapping';
  return /KEY|PASSWORD|SECRET|URL|UPSTREAM$|USERNAME|HTPASSWD|DOCKER_CONFIG|JWKS/.test(variable)
    ? '(not shown)'
    : JSON.stringify(value);
}

/** Of problems that several routes inherit, one is enough. */
export function distinct(problems: readonly SettingProblem[]): SettingProblem[] {
  const byText = new Map(problems.map((each) => [JSON.stringify([each.variable, each.message]), each]));
  return [...byText.values()];
}
