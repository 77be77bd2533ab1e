import { writeFileSync } from 'node:fs';
import * as z from 'zod/mini';
import { documentSchema } from '../../src/config/document.ts';
import { keyOf, withFileKeys } from '../../src/config/keys.ts';
import { withoutLinks } from './docs/links.ts';
import { settingGroups } from './docs/setting-rows.ts';

interface Schema {
  properties?: Record<string, Schema>;
  items?: Schema;
  anyOf?: Schema[];
  description?: string;
  default?: unknown;
}

/** The JSON Schema of a file with settings, for editors: made of what reads it, with the words of docs/settings.md. */
export function configSchema(): string {
  const schema = z.toJSONSchema(documentSchema, { io: 'input' }) as Schema & Record<string, unknown>;
  const routes = schema.properties?.routes ?? {};
  describe(schema);
  describe(routes.items ?? {});
  Object.assign(routes, {
    description:
      'Each upstream with the requests that it is for, and what is set for it alone. Its other settings are those ' +
      'at the top of the file.',
  });
  const match = routes.items?.properties?.match ?? {};
  match.description =
    'Which requests the route is for: where they come in (host, port), and what they ask for.';
  for (const [key, property] of Object.entries(match.properties ?? {})) {
    property.description = meanings[key] ?? '';
    delete property.default;
  }
  const { $schema, ...rest } = schema;
  const text = JSON.stringify({ $schema, title: 'regshift', ...rest }, null, 2);
  return `${text}\n`;
}

const meanings: Readonly<Record<string, string>> = {
  host: 'The Host header, with or without a port. One, or several.',
  port: 'The port that the proxy listens on. One, or several.',
  path: 'The beginning of repository names, like hub/. It is taken away before upstream is asked.',
  ns: "The registry that containerd asks its mirror for (?ns=), like docker.io; with podman's prefix, use path.",
  alias: 'Repository names, each with the one that it stands for upstream.',
};

function describe({ properties = {} }: Schema): void {
  for (const { variables, meaning } of settingGroups.flatMap(({ rows }) => rows)) {
    for (const variable of variables) {
      const property = properties[keyOf(variable)];
      if (property) property.description = withFileKeys(withoutLinks(meaning));
      const inFile = properties[`${keyOf(variable)}File`];
      if (inFile) inFile.description = `A path to a file with what ${keyOf(variable)} would be.`;
    }
  }
}

const [target] = process.argv.slice(2);
if (target && import.meta.filename === process.argv[1]) writeFileSync(target, configSchema());
