import { expect, test } from 'vitest';
import { mediaTypes } from '../../converters/media-types.ts';
import { clientRows } from '../../src/negotiation/client-profile.ts';
import { formName } from '../../src/negotiation/format-names.ts';
import { knownClients } from '../../src/negotiation/known-clients.ts';
import { type TestApp, testApp } from '../support/app.ts';

const { schema2, dockerList, generic } = mediaTypes;

/** Stored forms, each with the sample that has it. */
const stored: readonly (readonly [name: string, sample: string])[] = [
  ['generic', 'generic'],
  ['generic, bare v1 JSON as target', 'generic-v1-target'],
  ['fat generic', 'fat-generic'],
  ['schema 1, signed', 'schema1'],
  ['schema 1, unsigned', 'schema1-unsigned'],
  ['schema 2', 'schema2'],
  ['manifest list', 'list'],
  ['OCI', 'oci'],
  ['OCI, zstd layers', 'oci-zstd'],
  ['OCI index', 'index'],
  ['OCI index, zstd layers', 'index-zstd'],
  ['OCI artifact (a chart)', 'helm-chart'],
];

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

type Cell = (app: TestApp, sample: string, client: Client) => Promise<string>;

function headersOf({ userAgent, accept }: Client): [string, string][] {
  return [['User-Agent', userAgent], ...accept.map((type): [string, string] => ['Accept', type])];
}

const byTag: Cell = async (app, sample, client) => {
  const answer = await app.get(`/v2/sample/${sample}/manifests/latest`, headersOf(client));
  if (answer.status !== 200) return `404 ${answer.error().code}`;
  const same = answer.header('Docker-Content-Digest') === (await storedDigest(app, sample));
  const short = formName(answer.header('Content-Type') ?? '');
  return same && !answer.header('Regshift-Conversion') ? 'as stored' : short;
};

const byDigest: Cell = async (app, sample, client) => {
  const path = `/v2/sample/${sample}/manifests/${await storedDigest(app, sample)}`;
  const answer = await app.get(path, headersOf(client));
  if (answer.status === 200) return 'as stored';
  const { code, detail } = answer.error();
  return detail?.equivalent ? `404 ${code}, names the digest to pull` : `404 ${code}`;
};

async function storedDigest(app: TestApp, sample: string): Promise<string> {
  const answer = await app.head(`/v2/sample/${sample}/manifests/latest`, [['Accept', '*/*']]);
  return answer.header('Docker-Content-Digest') ?? '';
}

async function table(columns: readonly Client[], app: TestApp, cell: Cell): Promise<string> {
  const head = ['stored', ...columns.map(({ name }) => name)];
  const rows: string[][] = [];
  for (const [name, sample] of stored) {
    const cells: string[] = [];
    for (const client of columns) cells.push(await cell(app, sample, client));
    rows.push([name, ...cells]);
  }
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

const two = clients.filter(({ name }) =>
  ['Docker 1.6–1.9', 'Docker 1.10–18.03', 'Docker ≥ 26'].includes(name),
);

test('docs/negotiation.md has the response for every stored form and client', async () => {
  const pins = ['schema1', 'schema2', 'oci', 'generic'] as const;
  const pinned: string[] = [];
  for (const pin of pins) {
    pinned.push(
      `### \`REGSHIFT_FORMAT=${pin}\`\n\n${await table(two, testApp({ REGSHIFT_FORMAT: pin }), byTag)}`,
    );
  }
  const profiles = clientRows.map(
    ({ program, from, before, lacks, evidence }) =>
      `| ${program} | ${from?.join('.') ?? ''} | ${before?.join('.') ?? ''} | ${lacks} | ${evidence} |`,
  );
  const page = `# What each client gets

A test writes this page from the responses of the program, cell by cell. \`as stored\` means the unchanged bytes of the registry. A form's name means a conversion to that form. \`list\` and \`oci-index\` are indexes of images in that form. \`schema1\`, \`schema2\` and \`oci\` for an index are the image of the client's platform.

## By tag

${await table(clients, testApp(), byTag)}

## By the digest of the stored manifest

A digest names bytes, so regshift never sends other bytes for it.

${await table(clients, testApp(), byDigest)}

## By tag, with a pinned form

${pinned.join('\n\n')}

## What \`Accept\` cannot say

| program | from | before | lacks | what was seen |
|---|---|---|---|---|
${profiles.join('\n')}
`;
  await expect(page).toMatchFileSnapshot('../../docs/negotiation.md');
});
