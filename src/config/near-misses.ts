import { nearest } from '../edit-distance.ts';
import { notShown, type SettingProblem } from './problem.ts';
import { schema, variables as settingNames, type Variable } from './schema.ts';
import { fileVariables } from './setting-files.ts';

/** All variables that regshift reads. */
export const knownVariables: readonly string[] = [
  ...settingNames,
  ...fileVariables.map((variable) => `${variable}_FILE`),
];

const prefix = 'REGSHIFT_';

/** Variables of the tests of peers, which start regshift with their own environment. */
const ofTests = ['REGSHIFT_REQUIRE_PEERS'];

/** Reports misspelt variables, which would silently have no effect. */
export function unknownVariables(variables: Readonly<Record<string, unknown>>): SettingProblem[] {
  return Object.keys(variables)
    .filter((name) => name.startsWith(prefix) && ![...knownVariables, ...ofTests].includes(name))
    .map((variable) => ({ variable, value: notShown, message: `is not a setting: ${adviceFor(variable)}` }));
}

/**
 * Kubernetes sets these for a Service with the name regshift (Kubernetes documentation, "Service": environment
 * variables).
 */
const ofServiceLinks = /^REGSHIFT_(?:SERVICE_(?:HOST|PORT)|PORT_\d+_)/;

function adviceFor(name: string): string {
  const ours = knownVariables.filter((each) => each.startsWith(prefix));
  const bare = name.slice(prefix.length);
  const near = knownVariables.includes(bare) ? bare : nearest(name, ours);
  if (ofServiceLinks.test(name)) {
    return 'Kubernetes sets it for a Service with the name regshift; set enableServiceLinks: false in the pod';
  }
  return near === undefined ? 'docs/settings.md lists all' : `did you mean ${near}?`;
}

/** Names that people give to a setting, without underscores and prefix. */
const otherNames: Readonly<Record<string, Variable>> = {
  REGISTRY: 'REGSHIFT_UPSTREAM',
  REGISTRYURL: 'REGSHIFT_UPSTREAM',
  UPSTREAMURL: 'REGSHIFT_UPSTREAM',
  UPSTREAMREGISTRY: 'REGSHIFT_UPSTREAM',
};

const bareName = (name: string) => name.toUpperCase().replace(prefix, '').replaceAll('_', '');

const byBareName: ReadonlyMap<string, Variable> = new Map([
  ...settingNames.map((name) => [bareName(name), name] as const),
  ...Object.entries(otherNames),
]);

/** A variable that has no effect, and the setting that was probably meant. */
export interface NearMiss {
  readonly variable: string;
  readonly setting: Variable;
}

/**
 * Finds variables that look like a setting without its prefix, such as `UPSTREAM` or `LOGLEVEL`, while that setting is
 * not set. Other programs may read them, so they are worth a warning and no refusal.
 */
export function nearMisses(variables: Readonly<Record<string, unknown>>): NearMiss[] {
  return Object.entries(variables).flatMap(([variable, value]) => {
    const setting = byBareName.get(bareName(variable));
    const isOurs = variable.startsWith(prefix) || knownVariables.includes(variable);
    if (setting === undefined || isOurs || typeof value !== 'string' || value.trim() === '') return [];
    const isSet = [setting, `${setting}_FILE`].some((name) => String(variables[name] ?? '').trim() !== '');
    return isSet || !isPlausible(variable, setting, value) ? [] : [{ variable, setting }];
  });
}

/** Whether the value of a variable is one for regshift: names like `FORMAT` and `PAGE` belong to many programs. */
function isPlausible(variable: string, setting: Variable, value: string): boolean {
  // `CONFIG` may hold anything. Environments have upper-case names; npm and proxies use lower case.
  if (setting === 'REGSHIFT_CONFIG' || !/^(?:[A-Z0-9_]+|regshift_\w+)$/.test(variable)) return false;
  // Kubernetes names the port of a Service so.
  if (setting === 'REGSHIFT_UPSTREAM') return !value.startsWith('tcp://');
  return schema.shape[setting].safeParse(value).success;
}

/**
 * Finds a value of NODE_ENV that was probably meant to be `production`, which has an effect only in this spelling
 * (settings.ts). Programs behind the same variable have other values, so it is worth a warning and no refusal.
 * @returns a sentence for the operator, or none.
 */
export function productionNearMiss({ NODE_ENV: mode }: Readonly<Record<string, unknown>>): string[] {
  if (typeof mode !== 'string' || mode === 'production') return [];
  const word = mode.trim().toLowerCase();
  if (!word.startsWith('prod') && nearest(word, ['production']) === undefined) return [];
  return [
    `NODE_ENV is ${JSON.stringify(mode)}: did you mean production? Only with NODE_ENV=production does regshift refuse to start without REGSHIFT_UPSTREAM`,
  ];
}

/** A near miss in words for the operator. */
export function formatNearMiss({ variable, setting }: NearMiss): string {
  return `${variable} is not a setting of regshift: did you mean ${setting}?`;
}
