/** Writes the types of the settings of an embedded app: `npm run config:types`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { boundsOf, withoutDefault } from '../../../src/config/numbers.ts';
import { schema, type Variable } from '../../../src/config/schema.ts';
import { ofConnections, ofServers } from '../../../src/runtime/web/node-only.ts';
import { root } from '../house/sources.ts';
import { withoutLinks } from './links.ts';
import { settingGroups } from './setting-rows.ts';

export const appSettingsFile = 'src/runtime/web/app-settings.ts';

/** Settings that an embedded app refuses, and those of servers and their logs, which it leaves to the app around it. */
export const ofOtherPrograms: readonly Variable[] = [
  ...ofServers,
  ...ofConnections,
  'REGSHIFT_REDIS_URL',
  'HOST',
  'PORT',
  'REGSHIFT_STORE_BYTES',
  'REGSHIFT_SHUTDOWN_GRACE',
  'REGSHIFT_SHUTDOWN_DEADLINE',
  'LOG_FORMAT',
];

/** Settings whose text is JSON. */
const json: readonly Variable[] = [
  'REGSHIFT_CONFIG',
  'REGSHIFT_CLIENTS',
  'REGSHIFT_DOCKER_CONFIG',
  'REGSHIFT_GOOGLE_KEY',
  'REGSHIFT_JWKS',
  'REGSHIFT_SIGNING_KEY',
];

const head = `// \`npm run config:types\` writes this file from src/config/schema.ts and test/support/docs/setting-rows.ts.

/** One of these texts. An environment has any text; regshift refuses all others. */
type OneOf<Text extends string> = Text | (string & Record<never, never>);

/**
 * The settings of an embedded app, by the names of the environment variables of docs/settings.md. Text, numbers and
 * objects of JSON are taken. An empty text counts as not set. Members with other names are ignored, unless they begin with
 * \`REGSHIFT_\`: so \`process.env\`, or the \`env\` of a Worker, may be given as it is.
 */
export interface AppSettings {
`;

/** The text of src/runtime/web/app-settings.ts. */
export function appSettings(): string {
  const rows = settingGroups.flatMap(({ rows }) => rows);
  const members = rows.flatMap(({ variables, meaning }) =>
    variables
      .filter((variable) => !ofOtherPrograms.includes(variable))
      .map((variable) => `${comment(withoutLinks(meaning))}${member(variable)}`),
  );
  return `${head}${members.join('')}}\n`;
}

/** A line, or three where the formatter would break it. */
function member(variable: Variable): string {
  const line = `  readonly ${variable}?: ${typeOf(variable)} | undefined;\n`;
  if (line.length <= width + 1) return line;
  return `  readonly ${variable}?:\n    | ${typeOf(variable)}\n    | undefined;\n`;
}

function typeOf(variable: Variable): string {
  const field = schema.shape[variable];
  const inner = withoutDefault(field);
  if (inner instanceof z.ZodMiniEnum) {
    const texts = inner.options.map((text) => `'${text}'`).join(' | ');
    return `OneOf<${texts}>`;
  }
  if (boundsOf(field)) return 'number | string';
  return json.includes(variable) ? 'string | object' : 'string';
}

const width = 110;

/** A doc comment of whole lines. */
function comment(text: string): string {
  const sentence = `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
  if (sentence.length <= width) return `  /** ${sentence} */\n`;
  const lines = [''];
  for (const word of sentence.split(' ')) {
    const line = [lines.at(-1), word].filter((part) => part !== '').join(' ');
    if (line.length <= width) lines[lines.length - 1] = line;
    else lines.push(word);
  }
  return `  /**\n${lines.map((line) => `   * ${line}\n`).join('')}   */\n`;
}

if (import.meta.filename === process.argv[1]) writeFileSync(join(root, appSettingsFile), appSettings());
