import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { readSettings } from '../../src/config/settings.ts';
import { googleKeyOf } from '../support/clouds/google.ts';
import { filesBelow } from '../support/docs/own-files.ts';

const root = join(import.meta.dirname, '../..');

/** The files that examples name, by the end of the name. */
const files: readonly (readonly [end: RegExp, text: string])[] = [
  [/\/client-key\.pem$/, '-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n'],
  [/\.pem$/, '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n'],
  [/\/google\.json$/, googleKeyOf('https://oauth2.googleapis.com/token')],
  [/\/htpasswd$/, `me:$2y$05$${'a'.repeat(53)}\n`],
  [/(?:^events-secret|\/aws|\/azure|\/puller)$/, 'the-secret-of-an-example'],
];

function readExampleFile(path: string): string {
  const [, text] = files.find(([end]) => end.test(path)) ?? [];
  if (text === undefined) throw Object.assign(new Error(`no example has ${path}`), { code: 'ENOENT' });
  return text;
}

/** The settings of each example that names a registry, by its place. */
const examples = ['docs', 'deploy', ''].flatMap((folder) => {
  const pages = folder === '' ? ['README.md'] : filesBelow(join(root, folder), '.md');
  return pages.flatMap((page) => {
    const path = join(folder, page);
    const text = readFileSync(join(root, path), 'utf8');
    return [...text.matchAll(/^```(yaml|sh)\n([\s\S]*?)^```$/gm)].flatMap((block) => {
      const [, language, body = ''] = block;
      const variables = language === 'yaml' ? ofFile(body) : ofVariables(body);
      const line = text.slice(0, block.index).split('\n').length;
      return variables ? [[`${path}:${line}`, variables] as const] : [];
    });
  });
});

/** A file with settings; other documents, like those of Kubernetes, have no registry at their top. */
function ofFile(yaml: string): Record<string, string> | undefined {
  const document: unknown = parse(yaml);
  const isSettings =
    typeof document === 'object' && document !== null && ('upstream' in document || 'routes' in document);
  return isSettings ? { REGSHIFT_CONFIG: JSON.stringify(document) } : undefined;
}

/** The variables of lines, and of commands of a shell. */
function ofVariables(lines: string): Record<string, string> | undefined {
  const named = [...lines.matchAll(/(?<=^|\s)((?:REGSHIFT|AWS|AZURE)_\w+)=(?:'([^']*)'|"([^"]*)"|(\S*))/gm)];
  const variables = Object.fromEntries(
    named.map(([, name = '', one, two, bare]) => [name, one ?? two ?? bare ?? '']),
  );
  return 'REGSHIFT_UPSTREAM' in variables ? variables : undefined;
}

it('there are examples of both kinds', () => {
  const kinds = Map.groupBy(examples, ([, variables]) => 'REGSHIFT_CONFIG' in variables);
  expect(kinds.get(true)?.length).toBeGreaterThan(4);
  expect(kinds.get(false)?.length).toBeGreaterThan(4);
});

it.each(examples)('%s: regshift starts with these settings', (_, variables) => {
  const read = readSettings(variables, readExampleFile, parse);
  expect('problems' in read ? read.problems : []).toEqual([]);
});
