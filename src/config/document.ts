import * as z from 'zod/mini';
import { parseRepositoryName } from '../../converters/reference.ts';
import { bytesPattern } from '../byte-text.ts';
import { clientRuleSchema } from './client-rules.ts';
import { keyOf } from './keys.ts';
import { boundsOf, withoutDefault } from './numbers.ts';
import { routeVariables, schema, type Variable, variables } from './schema.ts';
import { fileVariables } from './setting-files.ts';

/** A value of a configuration file becomes the text of its variable, so that one schema parses both (schema.ts). */
const text = z.string('must be text; put quotes around what is only digits');
const listedForm = 'must be text, or a list of texts';
const listed = z.pipe(
  z.union([text, z.array(text).check(z.minLength(1, listedForm))], listedForm),
  z.transform((value) => (typeof value === 'string' ? value : value.join(','))),
);
const pairs = z.pipe(
  z.union([text, z.record(z.string(), text)], 'must be pairs like short/name: real/long/name'),
  z.transform((value) =>
    typeof value === 'string'
      ? value
      : Object.entries(value)
          .map(([short, long]) => `${short}=${long}`)
          .join(','),
  ),
);
const json = z.pipe(
  z.union([text, z.record(z.string(), z.unknown())], 'must be text, or an object'),
  z.transform((value) => (typeof value === 'string' ? value : JSON.stringify(value))),
);

const rules = z.pipe(
  z.array(clientRuleSchema, 'must be a list of rules').check(z.minLength(1, 'must have at least one rule')),
  z.transform((value) => JSON.stringify(value)),
);

/** The variable's own schema refuses a text of another form. */
const bytes = z.string().register(z.globalRegistry, { pattern: bytesPattern });
const noBytes = 'must be a number of bytes, or text with a unit, like 10GB or 10GiB';

const kinds: Partial<Record<Variable, z.ZodMiniType<string>>> = {
  REGSHIFT_UPSTREAM: listed,
  REGSHIFT_UPSTREAM_ALIASES: listed,
  REGSHIFT_UPSTREAM_NETWORKS: listed,
  REGSHIFT_UPSTREAM_INSECURE: z.pipe(
    z.union([z.boolean(), z.enum(['true', 'false'])], 'must be true or false'),
    z.transform(String),
  ),
  REGSHIFT_REPOSITORIES: listed,
  REGSHIFT_TRUSTED_PROXIES: listed,
  REGSHIFT_ALIASES: pairs,
  REGSHIFT_CLIENTS: rules,
  REGSHIFT_DOCKER_CONFIG: json,
  REGSHIFT_GOOGLE_KEY: json,
  REGSHIFT_JWKS: json,
  REGSHIFT_SIGNING_KEY: json,
};

/** The schema of a setting in a file, derived from the schema of its variable. */
function inFile(variable: Variable): z.ZodMiniType<string> {
  const field = schema.shape[variable];
  const inner = withoutDefault(field);
  if (kinds[variable] === undefined && inner instanceof z.ZodMiniEnum) return inner as z.ZodMiniType<string>;
  const bounds = boundsOf(field);
  if (bounds === undefined) return kinds[variable] ?? text;
  const { minimum, maximum, unit } = bounds;
  const number = z
    .number('must be a number')
    .register(z.globalRegistry, { type: 'integer', minimum, maximum });
  return z.pipe(unit === 'bytes' ? z.union([number, bytes], noBytes) : number, z.transform(String));
}

const secrets = new Set<Variable>(fileVariables);

function settingShapes(which: readonly Variable[]) {
  return Object.fromEntries(
    which.flatMap((variable) => [
      [keyOf(variable), z.optional(inFile(variable))],
      ...(secrets.has(variable) ? [[`${keyOf(variable)}File`, z.optional(text)]] : []),
    ]),
  ) as Record<string, z.ZodMiniOptional<z.ZodMiniType<string>>>;
}

/**
 * One value or a list of values, parsed to a list.
 * @param error the message for one value and for the list: zod reports a union that fits nothing by one message.
 */
function oneOrMore<Value>(value: z.ZodMiniType<Value>, error: string) {
  const list = z.pipe(
    z.union([value, z.array(value, error).check(z.minLength(1, error))], error),
    z.transform((parsed): readonly Value[] => (Array.isArray(parsed) ? parsed : [parsed as Value])),
  );
  return z._default(list, []);
}

function texts(what: string, ...is: readonly (RegExp | ((value: string) => boolean))[]) {
  const error = `must be ${what}, or a list of such`;
  const checks = is.map((each) =>
    each instanceof RegExp ? z.regex(each, error) : z.refine<string>(each, error),
  );
  return oneOrMore(z.string(error).check(...checks), error);
}

const portError = 'must be a port from 1 to 65535, or a list of such';
const port = z.int(portError).check(z.minimum(1, portError), z.maximum(65_535, portError));

const isPath = (value: string) => parseRepositoryName(value.replace(/\/$/, '')) !== undefined;

/** The message for a value that is not an object. For unknown keys, read-document.ts writes its own messages. */
const notAnObject = 'must be an object of settings';

/** The requests that a route serves (routing/match.ts). */
export const matchSchema = z.strictObject(
  {
    host: texts(
      'a host name, an IPv4 or [IPv6] address, with or without :port up to 65535',
      /^(?:[\w.-]+|\[[\dA-Fa-f:.]+\])(?::\d{1,5})?$/,
      (value) => URL.canParse(`http://${value}`),
    ),
    port: oneOrMore(port, portError),
    path: texts('the beginning of repository names, like hub/', isPath),
    ns: texts('a registry as containerd names it, like docker.io', /^[\w.:[\]-]+$/),
    alias: z.optional(pairs),
  },
  notAnObject,
);

export type RawMatch = z.output<typeof matchSchema>;

const routeKeys = variables.filter((variable) => routeVariables.has(variable));
const topKeys = variables.filter((variable) => variable !== 'REGSHIFT_CONFIG');

/** A route of the file. */
export const routeSchema = z.strictObject(
  { ...settingShapes(routeKeys), match: z.optional(matchSchema) },
  notAnObject,
);

/** The configuration file. Its top level has the settings of the program and the defaults of all routes. */
export const documentSchema = z.strictObject(
  {
    /** The address of the JSON Schema, for editors. */
    $schema: z.optional(text),
    ...settingShapes(topKeys),
    routes: z.optional(
      z.array(routeSchema, 'must be a list of routes').check(z.minLength(1, 'must have at least one route')),
    ),
  },
  notAnObject,
);
