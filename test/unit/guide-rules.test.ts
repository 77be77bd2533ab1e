import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { mediaTypes } from '../../converters/media-types.ts';
import { readSettings } from '../../src/config/settings.ts';
import { type KnownClient, knownClients } from '../../src/negotiation/known-clients.ts';
import { type TestApp, testApp } from '../support/app.ts';
import { addImage, builtRepository } from '../support/built-repository.ts';
import { filesBelow } from '../support/docs/own-files.ts';
import { type Script, scriptedUpstream } from '../support/scripted-upstream.ts';
import { upstreamUrl } from '../support/upstream-url.ts';

/** The only block of settings in a section of a guide. */
function settingsOf(guide: string, heading: string): Record<string, unknown> {
  const page = readFileSync(join(import.meta.dirname, '../../deploy/clients', guide), 'utf8');
  const [, section = ''] = page.split(`\n## ${heading}\n`);
  const [text = ''] = section.split('\n## ', 1);
  const blocks = [...text.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, lines = '']) => lines);
  if (blocks.length !== 1) throw new Error(`${guide} has ${blocks.length} blocks under ${heading}`);
  return parse(blocks.join());
}

function appWith(settings: Readonly<Record<string, unknown>>, script?: Script): TestApp {
  const file = JSON.stringify({ ...settings, upstream: upstreamUrl });
  return testApp({ REGSHIFT_CONFIG: file }, scriptedUpstream(script).fetch);
}

/** Schema 2 with Docker's own type for zstd layers, which is no sample. */
function schema2Zstd(): Script {
  const built = builtRepository('sample/schema2-zstd');
  const { schema2, dockerLayerZstd } = mediaTypes;
  return built.serve(addImage(built, { mediaType: schema2, layerType: dockerLayerZstd }));
}

const clientOf = (id: string) => knownClients.find((each) => each.id === id) as KnownClient;

/** Renovate 43, lib/modules/datasource/docker/index.ts: all types but schema 1. */
const renovate = {
  userAgent: 'renovate',
  accept: clientOf('containerd-1.6').accept.filter((type) => type !== '*/*'),
};

async function digestFor(app: TestApp, sample: string, client: Pick<KnownClient, 'userAgent' | 'accept'>) {
  const { userAgent, accept } = client;
  const headers = { 'User-Agent': `${userAgent} os/linux arch/amd64`, Accept: accept.join(', ') };
  const path = `/v2/sample/${sample}/manifests`;
  const first = await app.send('GET', `${path}/latest`, headers);
  expect(first.status).toBe(200);
  const digest = first.header('Docker-Content-Digest');
  return { digest, again: (await app.send('GET', `${path}/${digest}`, headers)).status };
}

describe('update-watchers.md', () => {
  it.each(['oci-zstd', 'oci', 'index', 'schema2'])(
    'Watchtower gets the digest of Docker 18.09 and 20.10 for %s',
    async (sample) => {
      const app = appWith(settingsOf('update-watchers.md', 'Engines that cannot decompress zstd'));
      for (const id of ['docker-18.09', 'docker-20.10']) {
        const engine = await digestFor(app, sample, clientOf(id));
        expect(await digestFor(app, sample, clientOf('watchtower'))).toEqual(engine);
      }
    },
  );

  it('Watchtower gets another digest without the rule', async () => {
    const app = appWith({});
    const engine = await digestFor(app, 'oci-zstd', clientOf('docker-20.10'));
    expect(await digestFor(app, 'oci-zstd', clientOf('watchtower'))).not.toEqual(engine);
  });

  it('the variable has the rule of the file', () => {
    const page = readFileSync(join(import.meta.dirname, '../../deploy/clients/update-watchers.md'), 'utf8');
    const [, variable = ''] = /`REGSHIFT_CLIENTS='([^']+)'`/.exec(page) ?? [];
    const { clients } = settingsOf('update-watchers.md', 'Engines that cannot decompress zstd');
    expect([JSON.parse(variable)]).toEqual(clients);
  });
});

describe('mixed-engines.md', () => {
  const newer = ['docker-1.13', 'docker-19.03.3', 'docker-20.10', 'docker-24', 'docker-28', 'containerd-1.6'];
  const all = [...newer, 'containerd-2', 'skopeo', 'crane', 'watchtower'].map(clientOf);

  it.each(['schema1', 'schema2', 'schema2-zstd', 'oci', 'oci-zstd', 'index', 'list'])(
    'one form for all: every client gets one digest of %s, and can pull it',
    async (sample) => {
      const script = sample === 'schema2-zstd' ? schema2Zstd() : undefined;
      const app = appWith(settingsOf('mixed-engines.md', 'One form for all'), script);
      const digests = await Promise.all([...all, renovate].map((each) => digestFor(app, sample, each)));
      expect(new Set(digests.map(({ digest }) => digest)).size).toBe(1);
      expect(digests.map(({ again }) => again)).toEqual(digests.map(() => 200));
    },
  );

  it.each([
    ['docker-20.10', 'oci-zstd'],
    ['docker-1.13', 'oci-zstd'],
    ['docker-1.13', 'oci'],
    ['docker-1.13', 'index'],
  ])('newer engines pull the digest that %s gets for %s', async (oldest, sample) => {
    const app = appWith({});
    const { digest } = await digestFor(app, sample, clientOf(oldest));
    for (const id of newer.slice(newer.indexOf(oldest))) {
      const { userAgent, accept } = clientOf(id);
      const headers = { 'User-Agent': userAgent, Accept: accept.join(', ') };
      const response = await app.send('GET', `/v2/sample/${sample}/manifests/${digest}`, headers);
      expect([id, response.status]).toEqual([id, 200]);
    }
  });

  it('layers: plain alone is enough for engines that read OCI', async () => {
    const app = appWith({ layers: 'plain' });
    const engines = [
      'docker-18.09',
      'docker-20.10',
      'docker-24',
      'docker-28',
      'containerd-1.6',
      'containerd-2',
    ].map(clientOf);
    for (const sample of ['oci', 'oci-zstd', 'index', 'schema2']) {
      const digests = await Promise.all(engines.map((each) => digestFor(app, sample, each)));
      expect(new Set(digests.map(({ digest }) => digest)).size).toBe(1);
    }
  });
});

describe('the guides', () => {
  const root = join(import.meta.dirname, '../..');
  const guides = [...filesBelow(join(root, 'deploy/clients'), '.md').map((name) => `deploy/clients/${name}`)];
  const pages = [...guides, 'docs/publishers.md'].map(
    (page) => [page, readFileSync(join(root, page), 'utf8')] as const,
  );
  const found = (linesOf: (text: string) => string[]) =>
    pages.flatMap(([page, text]) => linesOf(text).map((line) => [page, line] as const));

  it.each(found(commandsOf))('%s: the program starts with %s', (_page, line) => {
    expect(readSettings(variablesOf(line))).toHaveProperty('settings');
  });

  it.each(found(mentionsOf))('%s: the program takes %s', (_page, line) => {
    const variables = variablesOf(line);
    const read = readSettings(variables);
    // A sentence may leave out other settings, which an account needs.
    const problems = 'problems' in read ? read.problems : [];
    expect(problems.filter(({ variable }) => variable in variables)).toEqual([]);
  });
});

function variablesOf(line: string): Record<string, string> {
  const given = [...line.matchAll(/([A-Z][A-Z0-9_]*)=(?:'([^']*)'|(\S*))/g)];
  return Object.fromEntries(given.map(([, name = '', quoted, bare = '']) => [name, quoted ?? bare]));
}

/** The lines of a shell that begin with settings. */
function commandsOf(text: string): string[] {
  const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
  return blocks.flatMap((block) => block.split('\n')).filter((line) => /^[A-Z_]+=/.test(line));
}

/** The settings within sentences. */
function mentionsOf(text: string): string[] {
  const prose = text.replace(/^```[\s\S]*?^```$/gm, '');
  return [...prose.matchAll(/`(REGSHIFT_[^`…]*=[^`…]+)`/g)].map(([, line = '']) => line);
}
