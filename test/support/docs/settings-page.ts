/** Writes docs/settings.md: `npm run config:docs`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { keyOf } from '../../../src/config/keys.ts';
import { boundsOf } from '../../../src/config/numbers.ts';
import { routeVariables, schema, type Variable } from '../../../src/config/schema.ts';
import { fileVariables } from '../../../src/config/setting-files.ts';
import { root } from '../house/sources.ts';
import { type SettingGroup, type SettingRow, settingGroups } from './setting-rows.ts';

const head = `# Settings

<!-- \`npm run config:docs\` writes this page from src/config/schema.ts and test/support/docs/setting-rows.ts. -->

regshift reads its settings from environment variables, and from the file that \`REGSHIFT_CONFIG\` names. In front of one registry, \`REGSHIFT_UPSTREAM\` is enough.

A name in the column "in a file" with * may be in a route of that file, too. An empty variable counts as not set. With a wrong setting, regshift does not start, and lists every problem ([errors.md](errors.md#what-stops-the-start)); \`regshift check-config\` lists them without a start.

`;

const tail = `## The file

\`REGSHIFT_CONFIG=regshift.yaml\` puts several registries behind one proxy. Routes are selected by host, port, the first part of the name, containerd's \`?ns=\`, or aliases. Every setting above can be in the file, for all routes or for one.

\`\`\`yaml
# yaml-language-server: $schema=./deploy/regshift.schema.json
upstreamAuth: anonymous
routes:
  - match: { path: hub/, ns: docker.io }        # docker pull proxy:8080/hub/busybox; containerd's mirror of docker.io
    upstream: [https://mirror.example, https://docker.io]     # the second is used when the first fails
  - match: { path: quay/, alias: { tools/build: team/tools/build-image } }
    upstream: https://quay.io
    format: schema2
  - match: { host: images.example }             # a separate host: clients' logins go to this registry
    upstream: https://registry.example
    upstreamAuth: passthrough
  - match: { port: 5001 }                       # regshift also listens on this port
    upstream: https://private.example
    upstreamAuth: basic
    upstreamUsername: puller
    upstreamPasswordFile: /run/secrets/puller
    clientAuth: basic
    htpasswdFile: /etc/regshift/htpasswd
\`\`\`

[routes.md](routes.md) says which route a request takes, and why a login goes to one registry only.

## Secrets in files

A secret can be in a file: \`REGSHIFT_UPSTREAM_PASSWORD_FILE\` names the file for \`REGSHIFT_UPSTREAM_PASSWORD\`, and so on for the settings with "or _FILE" above. regshift reads passwords, keys of clouds, users and keys of JWTs again when their files are replaced ([networks.md](networks.md#secrets-that-rotate)).
`;

/** The page about all settings. */
export function settingsPage(): string {
  const groups = settingGroups.map(groupText).join('\n');
  return `${head}${contents()}\n${groups}\n${tail}`;
}

function contents(): string {
  const rows = settingGroups.map(({ title, about }) => `| [${title}](#${anchorOf(title)}) | ${about} |\n`);
  return `| group | |\n|---|---|\n${rows.join('')}`;
}

const anchorOf = (title: string) => title.toLowerCase().replaceAll(' ', '-');

function groupText({ title, about, rows }: SettingGroup): string {
  const lines = rows.map((row) => `| ${cellsOf(row).join(' | ')} |\n`);
  return `## ${title}\n\n${about}\n\n| variable | in a file | meaning | default |\n|---|---|---|---|\n${lines.join('')}`;
}

function cellsOf({ variables, meaning, otherwise }: SettingRow): string[] {
  const names = variables.map((name) => `\`${name}\`${isInFile(name) ? ' or `_FILE`' : ''}`);
  const keys = variables.map((name) =>
    name === 'REGSHIFT_CONFIG' ? '–' : `\`${keyOf(name)}\`${routeVariables.has(name) ? '*' : ''}`,
  );
  const ranges = variables.flatMap((name) => rangeOf(name) ?? []);
  const range = ranges.length === 0 ? '' : ` (${ranges.join('; ')})`;
  const own = otherwise ?? variables.map(defaultOf).join(', ');
  return [names.join(', '), keys.join(', '), `${meaning}${range}`, own];
}

const isInFile = (name: Variable) => fileVariables.some((each) => each === name);

/** The bounds of a number, which the schema refuses to leave. */
function rangeOf(name: Variable): string | undefined {
  const bounds = boundsOf(schema.shape[name]);
  if (bounds === undefined) return undefined;
  const { minimum, maximum, unit } = bounds;
  if (unit === 'bytes') return `${minimum} or more bytes; units like 64MB and 10GiB are possible`;
  return maximum === Number.MAX_SAFE_INTEGER ? `${minimum} or more` : `${minimum} to ${maximum}`;
}

function defaultOf(name: Variable): string {
  const field = schema.shape[name];
  const value = field instanceof z.ZodMiniDefault ? field.def.defaultValue : undefined;
  if (typeof value === 'string' || typeof value === 'number') return `\`${value}\``;
  throw new Error(`test/support/docs/setting-rows.ts must name the default of ${name}`);
}

if (import.meta.filename === process.argv[1]) writeFileSync(join(root, 'docs/settings.md'), settingsPage());
