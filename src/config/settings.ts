import * as z from 'zod';
import { parsePlatform } from '../../converters/platform.ts';
import { type Match, matchAll } from '../routing/match.ts';
import { noAliases, parseAliases } from './aliases.ts';
import { authFields } from './auth-fields.ts';
import { authProblems } from './auth-rules.ts';
import { fleetFields, fleetProblems } from './fleet.ts';
import { parseIpRange } from './ip-range.ts';
import { repositoryMatcher } from './repository-patterns.ts';
import { type ReadFile, withFiles } from './setting-files.ts';

const count = (what: string, maximum: number, minimum = 0) =>
  z.coerce
    .number({ error: `must be a whole number of ${what}` })
    .int(`must be a whole number of ${what}`)
    .min(minimum, `must be ${minimum} or more ${what}`)
    .max(maximum, `must be at most ${maximum} ${what}`);

const portRange = 'must be a whole number from 0 to 65535';
const port = z.coerce.number({ error: portRange }).int(portRange).min(0, portRange).max(65_535, portRange);

const baseUrl = z
  .url({ protocol: /^https?$/, error: 'must be a URL that begins with http:// or https://' })
  .transform((text) => new URL(text))
  .refine((url) => url.search === '' && url.hash === '', 'must have no query and no fragment')
  .refine(
    (url) => url.username === '' && url.password === '',
    'must hold no user name or password: they would end up in logs',
  );

const platform = z.string().transform((text, context) => {
  const parsed = parsePlatform(text);
  if (parsed) return parsed;
  context.addIssue({
    code: 'custom',
    message: 'must be os/architecture or os/architecture/variant, like linux/arm/v7',
  });
  return z.NEVER;
});

const ipRanges = z.string().transform((text, context) => {
  const parts = text.split(/[\s,]+/).filter((part) => part !== '');
  return parts.flatMap((part) => {
    const range = parseIpRange(part);
    if (range) return [range];
    const message = `must be addresses or ranges like 10.0.0.0/8 or fd00::1, divided by commas; ${JSON.stringify(part)} is none`;
    context.addIssue({ code: 'custom', message });
    return [];
  });
});

const repositories = z.string().transform((text, context) => {
  const matcher = repositoryMatcher(text);
  if (matcher) return matcher;
  context.addIssue({
    code: 'custom',
    message: 'must be patterns with commas between them, like library/*, team/** (* is one part of a name)',
  });
  return z.NEVER;
});

const aliases = z.string().transform((text, context) => {
  const parsed = parseAliases(text);
  if (!('problems' in parsed)) return parsed;
  const form = 'must be pairs like short/name=real/long/name with commas between them';
  context.addIssue({ code: 'custom', message: `${form}: ${parsed.problems.join('; ')}` });
  return z.NEVER;
});

/** Each variable with its meaning: the one place that knows their names, their defaults and what is right. */
const schema = z.object({
  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: port.default(8080),
  REGSHIFT_UPSTREAM: baseUrl.optional(),
  REGSHIFT_FORMAT: z
    .enum(['auto', 'schema1', 'schema2', 'oci', 'generic'], {
      error: 'must be auto, schema1, schema2, oci or generic',
    })
    .default('auto'),
  REGSHIFT_PLATFORM: platform.default({ os: 'linux', architecture: 'amd64' }),
  ...authFields,
  REGSHIFT_PUBLIC_URL: baseUrl.optional(),
  REGSHIFT_TRUSTED_PROXIES: ipRanges.default([]),
  REGSHIFT_SIGNING_KEY: z.string().min(1).optional(),
  ...fleetFields,
  REGSHIFT_TAG_TTL: count('seconds', 86_400).default(30),
  REGSHIFT_STALE: count('seconds', 604_800).default(3600),
  REGSHIFT_CACHE_BYTES: count('bytes', Number.MAX_SAFE_INTEGER).optional(),
  REGSHIFT_BLOBS: z.enum(['stream', 'redirect'], { error: 'must be stream or redirect' }).default('stream'),
  /** Left out: `allow` where each client asks upstream in its own name, `refuse` where the proxy asks for all. */
  REGSHIFT_PUSH: z.enum(['allow', 'refuse'], { error: 'must be allow or refuse' }).optional(),
  REGSHIFT_LISTS: z.enum(['auto', 'full', 'one'], { error: 'must be auto, full or one' }).default('auto'),
  REGSHIFT_REPOSITORIES: repositories.optional(),
  REGSHIFT_ALIASES: aliases.default(noAliases),
  REGSHIFT_V1_TAGS: count('tags', 10_000).optional(),
  REGSHIFT_SUBREQUESTS: count('requests', 1_000_000, 20).optional(),
  REGSHIFT_MEASURE_DEADLINE: count('seconds', 3600).default(45),
  REGSHIFT_LAYER_BYTES: count('bytes', Number.MAX_SAFE_INTEGER).optional(),
  REGSHIFT_UNSIGNED_SCHEMA1: z
    .enum(['accept', 'refuse'], { error: 'must be accept or refuse' })
    .default('accept'),
  REGSHIFT_WALK_TAGS: count('tags', 100_000).default(500),
  REGSHIFT_WALK_GETS: count('images', 1000).optional(),
  REGSHIFT_CONVERT_BY_DIGEST: z
    .enum(['never', 'always'], { error: 'must be never or always' })
    .default('never'),
  LOG_LEVEL: z
    .enum(['debug', 'info', 'warn', 'error'], { error: 'must be debug, info, warn or error' })
    .default('info'),
});

export type Values = z.output<typeof schema>;

/** What the operator has said: for the program as a whole, and for each of its routes. */
export interface Settings extends Values {
  readonly routes: readonly RouteSettings[];
}

/** One route: which requests it is for, and all that is set for it. */
export interface RouteSettings {
  readonly id: string;
  readonly match: Match;
  readonly settings: Values;
}

/** The name of every variable that is read. */
export const settingNames = Object.keys(schema.shape) as (keyof Values)[];

export interface SettingProblem {
  readonly variable: string;
  /** What was set; left out for secrets. */
  readonly value: string;
  /** What would be right. */
  readonly message: string;
}

/**
 * Reads the settings from variables; empty ones count as not set.
 * @param readFile for settings that may be a path; left out where there are no files.
 * @returns every problem at once, so that an operator mends them in one go.
 */
export function readSettings(
  variables: Readonly<Record<string, unknown>>,
  readFile?: ReadFile,
): { readonly settings: Settings } | { readonly problems: readonly SettingProblem[] } {
  const set = Object.fromEntries(
    Object.keys(schema.shape)
      .map((name) => [name, variables[name]] as const)
      .filter((entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1].trim() !== ''),
  );
  const files = withFiles(set, readFile);
  const parsed = schema.safeParse(files.texts);
  const others = [
    ...files.problems,
    ...authProblems({ ...set, ...files.texts }),
    ...fleetProblems(set),
    ...unknownVariables(variables),
  ];
  if (parsed.success && others.length === 0) {
    const route = { id: 'all', match: matchAll, settings: parsed.data };
    return { settings: { ...parsed.data, routes: [route] } };
  }
  const wrong = (parsed.error?.issues ?? []).map((issue) => {
    const variable = String(issue.path[0]);
    return { variable, value: shown(variable, set[variable]), message: issue.message };
  });
  return { problems: [...wrong, ...others] };
}

/** A misspelt variable would silently do nothing. */
function unknownVariables(variables: Readonly<Record<string, unknown>>): SettingProblem[] {
  const known = Object.keys(schema.shape);
  return Object.keys(variables)
    .filter(
      (name) => name.startsWith('REGSHIFT_') && !known.includes(name) && name !== 'REGSHIFT_REQUIRE_PEERS',
    )
    .map((variable) => ({
      variable,
      // Nobody knows what it was meant to hold.
      value: '(not shown)',
      message: `is not a setting; there are ${known.filter((name) => name.startsWith('REGSHIFT_')).join(', ')}`,
    }));
}

function shown(variable: string, value: unknown): string {
  return /KEY|PASSWORD|TOKEN|SECRET|URL|UPSTREAM$|USERNAME|HTPASSWD|DOCKER_CONFIG|JWKS/.test(variable)
    ? '(not shown)'
    : JSON.stringify(value);
}

/** One line a problem, for a person. */
export function formatProblems(problems: readonly SettingProblem[]): string {
  return problems.map(({ variable, value, message }) => `${variable} is ${value}: it ${message}`).join('\n');
}
