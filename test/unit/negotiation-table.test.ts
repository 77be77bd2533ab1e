import { expect, test } from 'vitest';
import { mediaTypes } from '../../converters/media-types.ts';
import { clientRows, type ProgramVersions } from '../../src/negotiation/client-rows.ts';
import { formName } from '../../src/negotiation/format-names.ts';
import { knownClients } from '../../src/negotiation/known-clients.ts';
import type { Version } from '../../src/negotiation/version.ts';
import { type TestApp, testApp } from '../support/app.ts';
import {
  addImage,
  addIndex,
  type BuiltDescriptor,
  type BuiltRepository,
  builtRepository,
  json,
  linux,
} from '../support/built-repository.ts';
import { scriptedUpstream } from '../support/scripted-upstream.ts';

const { schema2, dockerList, generic, ociConfig, dockerLayerZstd, ociLayerGzip, ociLayerZstd } = mediaTypes;

/** A stored form: a sample's name, or an image that is built here. */
interface Stored {
  /** The head of its column. */
  readonly key: string;
  readonly meaning: string;
  readonly from: string | ((built: BuiltRepository) => BuiltDescriptor);
}

interface Group {
  readonly title: string;
  readonly forms: readonly Stored[];
}

const withPlatform = (image: BuiltDescriptor) => ({ ...image, ...linux('amd64') });

const groups: readonly Group[] = [
  {
    title: 'an image of the older forms',
    forms: [
      { key: 'generic', meaning: 'a generic manifest', from: 'generic' },
      {
        key: 'generic, v1',
        meaning: 'a generic manifest whose target is bare v1 JSON',
        from: 'generic-v1-target',
      },
      { key: 'schema1', meaning: 'schema 1 with a signature', from: 'schema1' },
      { key: 'unsigned', meaning: 'schema 1 without a signature', from: 'schema1-unsigned' },
      { key: 'schema2', meaning: 'schema 2', from: 'schema2' },
    ],
  },
  {
    title: 'an image of the newer forms',
    forms: [
      {
        key: 's2 zstd',
        meaning: 'schema 2 with layers of the type that Docker has for zstd',
        from: (built) => addImage(built, { mediaType: schema2, layerType: dockerLayerZstd }),
      },
      {
        key: 's2 mixed',
        meaning: 'schema 2 with the OCI types for config and layers',
        from: (built) =>
          addImage(built, { mediaType: schema2, configType: ociConfig, layerType: ociLayerGzip }),
      },
      { key: 'oci', meaning: 'an OCI manifest', from: 'oci' },
      { key: 'oci zstd', meaning: 'an OCI manifest with zstd layers', from: 'oci-zstd' },
      { key: 'chart', meaning: 'an OCI artifact, such as a chart', from: 'helm-chart' },
    ],
  },
  {
    title: 'an index',
    forms: [
      { key: 'fat', meaning: 'a fat generic manifest', from: 'fat-generic' },
      { key: 'list', meaning: 'a manifest list of schema 2 images', from: 'list' },
      {
        key: 'list zstd',
        meaning: 'a manifest list of images with layers of the type that Docker has for zstd',
        from: (built) => {
          const image = addImage(built, { mediaType: schema2, layerType: dockerLayerZstd });
          return addIndex(built, [withPlatform(image)], dockerList);
        },
      },
      { key: 'index', meaning: 'an OCI index of OCI images', from: 'index' },
      { key: 'index zstd', meaning: 'an OCI index of images with zstd layers', from: 'index-zstd' },
    ],
  },
  {
    title: 'an index of an unusual shape',
    forms: [
      {
        key: 'nested',
        meaning: 'an OCI index inside an OCI index',
        from: (built) => addIndex(built, [addIndex(built, [withPlatform(addImage(built))])]),
      },
      {
        key: 'both',
        meaning: 'an OCI index with a zstd and a gzip image for each platform, the zstd image first',
        from: (built) => {
          const annotations = { 'io.github.containers.compression.zstd': 'true' };
          const zstd = { ...withPlatform(addImage(built, { layerType: ociLayerZstd })), annotations };
          return addIndex(built, [zstd, withPlatform(addImage(built))]);
        },
      },
      {
        key: 'cache',
        meaning: 'the OCI index of a BuildKit cache, which names layers and no manifest',
        from: (built) => {
          const config = built.blob('application/vnd.buildkit.cacheconfig.v0', json({ layers: [] }));
          return addIndex(built, [config]);
        },
      },
    ],
  },
];

/** The repository of a form. The name of a built one must not clash with a sample's. */
const nameOf = ({ key, from }: Stored) =>
  typeof from === 'string' ? `sample/${from}` : `built/${key.replace(' ', '-')}`;

function app(settings: Record<string, string> = {}): TestApp {
  const scripts = groups
    .flatMap(({ forms }) => forms)
    .flatMap((form) => {
      const built = builtRepository(nameOf(form));
      return typeof form.from === 'string' ? [] : [built.serve(form.from(built))];
    });
  const upstream = scriptedUpstream(async (request, url) => {
    for (const script of scripts) {
      const answer = await script(request, url);
      if (answer) return answer;
    }
    return undefined;
  });
  return testApp(settings, upstream.fetch);
}

interface Client {
  readonly name: string;
  readonly userAgent: string;
  readonly accept: readonly string[];
}

const clients: readonly Client[] = [
  ...knownClients.map(({ name, userAgent, accept }) => ({
    name,
    userAgent: userAgent.startsWith('docker/') ? `${userAgent} os/linux arch/amd64` : userAgent,
    accept,
  })),
  { name: '`*/*`', userAgent: 'curl/8.0', accept: ['*/*'] },
  { name: '`application/json`', userAgent: 'curl/8.0', accept: ['application/json'] },
  { name: 'generic alone', userAgent: 'curl/8.0', accept: [generic] },
  { name: 'list;q=0, schema 2', userAgent: 'curl/8.0', accept: [`${dockerList};q=0`, schema2] },
];

type Cell = (app: TestApp, name: string, client: Client) => Promise<string>;

function headersOf({ userAgent, accept }: Client): [string, string][] {
  return [['User-Agent', userAgent], ...accept.map((type): [string, string] => ['Accept', type])];
}

const stays = '=';
const equivalent = '→';

function refusal({ status, error }: { status: number; error(): { code: string; detail?: object } }): string {
  const { code, detail } = error();
  if (status !== 404) return `${status} ${code}`;
  if (code === 'MANIFEST_UNKNOWN') return 'v1';
  return detail && 'equivalent' in detail ? equivalent : 'no';
}

const byTag: Cell = async (app, name, client) => {
  const answer = await app.get(`/v2/${name}/manifests/latest`, headersOf(client));
  if (answer.status !== 200) return refusal(answer);
  const same = answer.header('Docker-Content-Digest') === (await storedDigest(app, name));
  const short = formName(answer.header('Content-Type') ?? '');
  return same && !answer.header('Regshift-Conversion') ? stays : short;
};

const byDigest: Cell = async (app, name, client) => {
  const path = `/v2/${name}/manifests/${await storedDigest(app, name)}`;
  const answer = await app.get(path, headersOf(client));
  return answer.status === 200 ? stays : refusal(answer);
};

async function storedDigest(app: TestApp, name: string): Promise<string> {
  const answer = await app.head(`/v2/${name}/manifests/latest`, [['Accept', '*/*']]);
  return answer.header('Docker-Content-Digest') ?? '';
}

/** A table whose columns are aligned in the source, too. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((cell, column) =>
    Math.max(3, cell.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

async function rowsOf(shown: readonly Client[], forms: readonly Stored[], at: TestApp, cell: Cell) {
  const rows: string[][] = [];
  for (const client of shown) {
    const cells: string[] = [];
    for (const form of forms) cells.push(await cell(at, nameOf(form), client));
    rows.push([client.name, ...cells]);
  }
  return rows;
}

async function tables(title: (group: string) => string, cell: Cell): Promise<string> {
  const parts: string[] = [];
  for (const group of groups) {
    const rows = await rowsOf(clients, group.forms, app(), cell);
    const head = ['client', ...group.forms.map(({ key }) => key)];
    parts.push(`### ${title(group.title)}\n\n${table(head, rows)}`);
  }
  return parts.join('\n\n');
}

const pins = ['schema1', 'schema2', 'oci', 'generic'] as const;
const pinnedClients = clients.filter(({ name }) =>
  ['Docker 1.6–1.9', 'Docker 1.10–18.03', 'Docker ≥ 26'].includes(name),
);

async function pinnedTables(): Promise<string> {
  const parts: string[] = [];
  for (const { title, forms } of groups) {
    const rows: string[][] = [];
    for (const pin of pins) {
      const found = await rowsOf(pinnedClients, forms, app({ REGSHIFT_FORMAT: pin }), byTag);
      rows.push(...found.map((row) => [pin, ...row]));
    }
    const head = ['pin', 'client', ...forms.map(({ key }) => key)];
    parts.push(`### A pinned form and ${title}\n\n${table(head, rows)}`);
  }
  return parts.join('\n\n');
}

const short = (version: Version) => version.join('.').replace(/\.0$/, '');
const versions = ({ program, from, before }: ProgramVersions) =>
  [program, from && `≥ ${short(from)}`, before && `< ${short(before)}`].filter(Boolean).join(' ');

/** Profiles, each with the number of its note: the evidence is too long for a table. */
function profiles(): string {
  const rows = clientRows.map(({ programs, embedded, without, lacks, doubtful }, index) => {
    const more = [embedded && ', embedded', without && `, without ${without}`].filter(Boolean).join('');
    return [programs.map(versions).join(', ') + more, lacks, doubtful ? 'tag' : 'all', `${index + 1}`];
  });
  const notes = clientRows.map(({ evidence }, index) => `${index + 1}. ${evidence}`);
  return `${table(['program', 'lacks', 'for', 'note'], rows)}\n\n${notes.join('\n')}`;
}

const legend = groups
  .flatMap(({ forms }) => forms)
  .map(({ key, meaning }) => `- \`${key}\`: ${meaning}`)
  .join('\n');

test('docs/negotiation.md has the response for every stored form and client', async () => {
  const page = `# What each client gets

A test writes this page from the responses of the program, cell by cell. The rows are clients, and the columns are stored forms.

The cells:

- \`=\`: the unchanged bytes of the registry
- \`schema1\`, \`schema2\`, \`oci\`, \`generic\`: an image in that form. For a stored index, it is the image of the client's platform
- \`list\`, \`oci-index\`: an index of images in that form
- \`→\`: 404 UNSUPPORTED. The message names the digest that this client can pull instead
- \`no\`: 404 UNSUPPORTED. No form that this client reads can hold it
- \`v1\`: 404 MANIFEST_UNKNOWN. The client then pulls by registry API v1

The stored forms:

${legend}

The row "skopeo, podman" stands for Buildah and CRI-O, too. The version in each row's User-Agent is in \`src/negotiation/known-clients.ts\`; the last section has the versions at which a program changes.

## By tag

${await tables((group) => `The tag of ${group}`, byTag)}

## By the digest of the stored manifest

A digest names bytes, so regshift never sends other bytes for it.

${await tables((group) => `The digest of ${group}`, byDigest)}

## By tag, with a pinned form

\`REGSHIFT_FORMAT\` pins the form for every client of a route.

${await pinnedTables()}

## What \`Accept\` cannot say

The User-Agent tells which of these capabilities a client lacks. The name of the program may stand anywhere in it. "Embedded" means a version that ends in \`+unknown\`: another program has the library built in. A row for \`tag\` does not apply to a digest, because some of these clients have the capability, or copy images without unpacking them.

${profiles()}
`;
  const widest = page.split('\n').filter((line) => line.startsWith('|') && [...line].length > 100);
  expect(widest).toEqual([]);
  await expect(page).toMatchFileSnapshot('../../docs/negotiation.md');
});
