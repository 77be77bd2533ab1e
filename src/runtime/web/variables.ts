import { knownVariables } from '../../config/near-misses.ts';
import { notSet, notShown, type SettingProblem } from '../../config/problem.ts';

/** The settings of a program as an environment has them, and the values that no setting can have. */
export interface ProgramVariables {
  readonly variables: Readonly<Record<string, unknown>>;
  readonly problems: readonly SettingProblem[];
}

/**
 * The settings of a program as strings, as an environment has them: `REGSHIFT_TAG_TTL: 60` is a number in code and in
 * wrangler.toml, and a key set can be an object. Functions, symbols and objects of classes are no values of settings;
 * under other names they are the program's own, like the bindings of a Worker.
 */
export function asVariables(values: object): ProgramVariables {
  const variables: Record<string, unknown> = {};
  const problems: SettingProblem[] = [];
  for (const [name, value] of Object.entries(values)) {
    const isSetting = name.startsWith('REGSHIFT_') || knownVariables.includes(name);
    const text = isSetting ? textOf(name, value) : value;
    if (text === undefined && value !== undefined) problems.push(noText(name));
    else variables[name] = text;
  }
  return { variables, problems };
}

/**
 * The problems of settings, without those that ask for a setting because its value is no text: it is set.
 * @param others the problems that were found without the values of `kinds`.
 */
export function allProblems(
  kinds: readonly SettingProblem[],
  others: readonly SettingProblem[],
): readonly SettingProblem[] {
  return kinds.length === 0 ? others : [...kinds, ...others.filter(({ value }) => value !== notSet)];
}

function textOf(name: string, value: unknown): string | undefined {
  if (value === null) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
    return String(value);
  return name.startsWith('REGSHIFT_') && isPlain(value) ? jsonOf(value) : undefined;
}

/** True for an array, and for an object without a class, also for one of another realm. */
function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const above: unknown = Object.getPrototypeOf(value);
  return Array.isArray(value) || above === null || Object.getPrototypeOf(above) === null;
}

/** undefined for an object that JSON cannot have, such as one that holds itself. */
function jsonOf(value: object): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

function noText(variable: string): SettingProblem {
  const kinds = variable.startsWith('REGSHIFT_')
    ? 'text, a number, true, false, or an object of JSON'
    : 'text, a number, true or false';
  return { variable, value: notShown, message: `must be ${kinds}` };
}
