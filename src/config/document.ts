import * as z from 'zod';
import { parseRepositoryName } from '../../converters/reference.ts';
import { bytesPattern } from '../byte-text.ts';
import { clientRuleSchema } from './client-rules.ts';
import { keyOf } from './keys.ts';
import { boundsOf, isByteCount } from './numbers.ts';
import { routeVariables, schema, type Variable, variables } from './schema.ts';
import { fileVariables } from './setting-files.ts';

/** A value of a configuration file becomes the text of its variable, so that one schema parses both (schema.ts). */
const text = z.string({ error: 'must be text; put quotes around what is only digits' });
const listedForm = 'must be text, or a list of texts';
const listed = z
  .union([text, z.array(text).min(1, listedForm)], { error: listedForm })
  .transform((value) => (typeof value === 'string' ? value : value.join(',')));
const pairs = z
  .union([text, z.record(z.string(), text)], { error: 'must be pairs like short/name: real/long/name' })
  .transform((value) =>
    typeof value === 'string'
      ? value
      : Object.entries(value)
          .map(([short, long]) => `${short}=${long}`)
          .join(','),
  );
const json = z
  .union([text, z.record(z.string(), z.unknown())], { error: 'must be text, or an object' })
  .transform((value) => (typeof value === 'string' ? value : JSON.stringify(value)));

const rules = z
  .array(clientRuleSchema, { error: 'must be a list of rules' })
  .min(1, 'must have at least one rule')
  .transform((value) => JSON.stringify(value));

/** The variable's own schema refuses a text of another form. */
const bytes = z.string().meta({ pattern: bytesPattern });
const noBytes = 'must be a number of bytes, or text with a unit, like 10GB or 10GiB';

const kinds: Partial<Record<Variable, z.ZodType<string>>> = {
  REGSHIFT_UPSTREAM: listed,
  REGSHIFT_UPSTREAM_ALIASES: listed,
  REGSHIFT_UPSTREAM_NETWORKS: listed,
  REGSHIFT_UPSTREAM_INSECURE: z
    .union([z.boolean(), z.enum(['true', 'false'])], { error: 'must be true or false' })
    .transform(String),
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
function inFile(variable: Variable): z.ZodType<string> {
  const field: unknown = schema.shape[variable];
  const inner: unknown =
    field instanceof z.ZodOptional || field instanceof z.ZodDefault ? field.unwrap() : field;
  if (kinds[variable] === undefined && inner instanceof z.ZodEnum) return inner as z.ZodType<string>;
  const bounds = boundsOf(field);
  if (bounds === undefined) return kinds[variable] ?? text;
  const number = z.number({ error: 'must be a number' }).meta({ type: 'integer', ...bounds });
  return (isByteCount(field) ? z.union([number, bytes], { error: noBytes }) : number).transform(String);
}

const secrets = new Set<Variable>(fileVariables);

function settingShapes(which: readonly Variable[]) {
  return Object.fromEntries(
    which.flatMap((variable) => [
      [keyOf(variable), inFile(variable).optional()],
      ...(secrets.has(variable) ? [[`${keyOf(variable)}File`, text.optional()]] : []),
    ]),
  ) as Record<string, z.ZodOptional<z.ZodType<string>>>;
}

/**
 * One value or a list of values, parsed to a list.
 * @param error the message for one value and for the list: zod reports a union that fits nothing by one message.
 */
function oneOrMore<Value>(value: z.ZodType<Value>, error: string) {
  return z
    .union([value, z.array(value, error).min(1, error)], { error })
    .transform((parsed): readonly Value[] => (Array.isArray(parsed) ? parsed : [parsed as Value]))
    .default([]);
}

function texts(what: string, is: RegExp | ((value: string) => boolean)) {
  const error = `must be ${what}, or a list of such`;
  const one = z.string({ error });
  return oneOrMore(is instanceof RegExp ? one.regex(is, error) : one.refine(is, { error }), error);
}

const portError = 'must be a port from 1 to 65535, or a list of such';
const port = z.int(portError).min(1, portError).max(65_535, portError);

const isPath = (value: string) => parseRepositoryName(value.replace(/\/$/, '')) !== undefined;

/** The message for a value that is not an object. For unknown keys, read-document.ts writes its own messages. */
const notAnObject = { error: 'must be an object of settings' };

/** The requests that a route serves (routing/match.ts). */
const matchSchema = z.strictObject(
  {
    host: texts(
      'a host name, with or without :port',
      /^(?:[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/,
    ),
    port: oneOrMore(port, portError),
    path: texts('the beginning of repository names, like hub/', isPath),
    ns: texts('a registry as containerd names it, like docker.io', /^[A-Za-z0-9_.:-]+$/),
    alias: pairs.optional(),
  },
  notAnObject,
);

export type RawMatch = z.output<typeof matchSchema>;

const routeKeys = variables.filter((variable) => routeVariables.has(variable));
const topKeys = variables.filter((variable) => variable !== 'REGSHIFT_CONFIG');

const routeSchema = z.strictObject(
  { ...settingShapes(routeKeys), match: matchSchema.optional() },
  notAnObject,
);

/** The configuration file. Its top level has the settings of the program and the defaults of all routes. */
export const documentSchema = z.strictObject(
  {
    /** The address of the JSON Schema, for editors. */
    $schema: z.string().optional(),
    ...settingShapes(topKeys),
    routes: z
      .array(routeSchema, { error: 'must be a list of routes' })
      .min(1, 'must have at least one route')
      .optional(),
  },
  notAnObject,
);
