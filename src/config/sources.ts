import { keyOf, withFileKeys } from './keys.ts';
import type { SettingProblem } from './problem.ts';
import { redacted } from './redacted.ts';
import { withFiles } from './setting-files.ts';

/** A place in the file with settings. */
export interface SettingLocation {
  /** The path of the keys, like `routes[2].`, and "" for the top level. */
  readonly path: string;
  /** The path of the file for messages, or REGSHIFT_CONFIG if that is the text itself. */
  readonly file: string;
}

/** Settings from one place: the variables, the top level of the file, or one of its routes. */
export interface SettingSource {
  /** undefined for variables. */
  readonly location: SettingLocation | undefined;
  /** By variable, as they were written: a value may be a path. */
  readonly values: Readonly<Record<string, string>>;
  /** By variable, with the text of each file in the place of its path. */
  readonly texts: Readonly<Record<string, string>>;
  readonly problems: readonly SettingProblem[];
}

export function createSource(
  location: SettingLocation | undefined,
  set: Readonly<Record<string, string>>,
  readFile: ((path: string) => string) | undefined,
): SettingSource {
  const { texts, problems } = withFiles(set, readFile);
  return { location, values: set, texts, problems: problems.map((problem) => placeAt(problem, location)) };
}

/** A source without some settings, and without their problems. @param names the variables. */
export function withoutSettings(source: SettingSource, names: readonly string[]): SettingSource {
  if (names.length === 0) return source;
  const isOther = (variable: string) => !names.includes(variable.replace(/_FILE$/, ''));
  const others = (set: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(set).filter(([variable]) => isOther(variable)));
  const problems = source.problems.filter(({ variable }) => isOther(variable));
  return { ...source, values: others(source.values), texts: others(source.texts), problems };
}

/** Merges the texts of several sources. The first source that has a setting wins. */
export function mergeSources(sources: readonly SettingSource[]): Record<string, string> {
  return Object.assign({}, ...sources.map(({ texts }) => texts).reverse());
}

/** Merges sources like `mergeSources`, and adds settings whose file cannot be read: they are set, not missing. */
export function mergeWithUnreadable(sources: readonly SettingSource[]): Record<string, string> {
  const all = sources.map(({ values, texts }) => {
    const names = Object.entries(values).map(([name, value]) => [name.replace(/_FILE$/, ''), value]);
    return { ...Object.fromEntries(names), ...texts } as Record<string, string>;
  });
  return Object.assign({}, ...all.reverse());
}

/**
 * Assigns a problem with a variable to the source that sets it, and names the settings as they are named there.
 * @param sources the first one takes precedence.
 * @param missing the source to name if none sets the variable.
 */
export function locate(
  problem: SettingProblem,
  sources: readonly [SettingSource, ...SettingSource[]],
  missing: SettingSource = sources[0],
): SettingProblem {
  const { variable } = problem;
  const owner = sources.find(({ values }) => hasSetting(values, variable)) ?? missing;
  const value =
    problem.value || redacted(variable, owner.values[variable] ?? owner.values[`${variable}_FILE`]);
  return placeAt({ ...problem, value }, owner.location);
}

function hasSetting(set: Readonly<Record<string, string>>, variable: string): boolean {
  return set[variable] !== undefined || set[`${variable}_FILE`] !== undefined;
}

function placeAt(problem: SettingProblem, location: SettingLocation | undefined): SettingProblem {
  if (location === undefined) return problem;
  const { variable, value, message } = problem;
  const { path, file } = location;
  return { variable: `${path}${keyOf(variable)}`, file, value, message: withFileKeys(message) };
}

/** Removes the repetitions of a problem that several routes inherit. */
export function distinct(problems: readonly SettingProblem[]): SettingProblem[] {
  const byText = new Map(problems.map((each) => [JSON.stringify([each.variable, each.message]), each]));
  return [...byText.values()];
}
