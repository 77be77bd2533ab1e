import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { delimiter, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished, test, vi } from 'vitest';
import { digestOf } from '../../../../converters/digest.ts';
import { mediaTypes } from '../../../../converters/media-types.ts';
import { knownClients } from '../../../../src/negotiation/known-clients.ts';
import { createSampleRegistry } from '../../../../src/sample-registry/registry.ts';
import { tar } from '../../../../src/sample-registry/tar.ts';
import { testApp } from '../../../support/app.ts';
import { addImage, builtRepository } from '../../../support/built-repository.ts';
import { regshift, temporaryFolder } from '../../../support/cli.ts';
import { layerContent } from '../../../support/layer-content.ts';
import { listen } from '../../../support/listen.ts';
import { compressedImage } from '../../../support/packed-image.ts';
import { startStrictRegistry } from '../../../support/strict-registry.ts';
import { useSampleServer } from '../../../support/use-sample-server.ts';

interface Inspected {
  readonly stored: {
    readonly digest: string;
    readonly form: string;
    readonly entries?: readonly { readonly platform?: string; readonly attestation: boolean }[];
    readonly noImage?: string;
    readonly image?: {
      readonly digest: string;
      readonly platform: string;
      readonly history?: number;
      readonly layers: readonly Layer[];
    };
  };
  readonly clients: readonly View[];
}

interface Layer {
  readonly compression: string;
  readonly size?: number;
}

interface View {
  readonly client: string;
  readonly form: string;
  readonly digest?: string;
  readonly unread?: true;
  readonly refused?: string;
  readonly because: readonly string[];
  readonly losses: readonly { readonly kind: string; readonly path: string }[];
}

const samples = useSampleServer();

async function inspected(sample: string, ...options: string[]): Promise<Inspected> {
  const { code, json, err } = await regshift([
    'inspect',
    `${samples.host}/sample/${sample}`,
    '--json',
    ...options,
  ]);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return json<Inspected>();
}

it('counts one image of registry API v1 as one', async () => {
  const files = tar([{ kind: 'file', path: 'words', content: layerContent(100) }]);
  const layer = {
    mediaType: mediaTypes.ociLayerGzip,
    tar: files,
    compressed: new Uint8Array(gzipSync(files)),
  };
  const image = compressedImage('team/app', [layer]);
  const server = createServer(async ({ method = 'GET', url = '/' }, response) => {
    const request = new Request(new URL(url, 'http://one.test'), { method });
    const answer = (await image(request, new URL(request.url))) ?? new Response(null, { status: 404 });
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(new Uint8Array(await answer.arrayBuffer()));
  });
  const { host, stop } = await listen(server);
  onTestFinished(() => stop());
  const { json } = await regshift(['inspect', `${host}/team/app`, '--json']);
  expect(json<Inspected>().clients[0]?.form).toBe('registry API v1, 1 image');
});

describe('a tag that the registry does not have', () => {
  const missing = 'The registry answered 404 for the manifest none of sample/oci';

  it.each([
    ['inspect'],
    ['inspect', '--raw'],
    ['explain', '--for', 'docker-1.13'],
    ['verify'],
    ['save', '--for', 'docker-1.9', '-o', 'never.tar'],
  ])('is answered with those that it has: %s %s', async (command, ...options) => {
    const { code, err } = await regshift([command, `${samples.host}/sample/oci:none`, ...options]);
    expect(code).toBe(1);
    expect(err).toContain(`${missing}. Check the tag. The repository has the tags 1.0, latest.`);
  });

  it('is answered so by check and copy, too', async () => {
    const image = `${samples.host}/sample/oci:none`;
    const checked = await regshift(['check', image]);
    const copied = await regshift(['copy', image, `${samples.host}/copied:1`]);
    for (const text of [checked.out, copied.err]) expect(text).toContain('has the tags 1.0, latest.');
  });

  it('is answered with the first ten of many', async () => {
    const { host } = await tagsRegistry(Array.from({ length: 30 }, (_, at) => `v${at}`));
    const { err } = await regshift(['inspect', `${host}/team/app`]);
    expect(err).toContain('The first tags of the repository are v0, v1, v2, v3, v4, v5, v6, v7, v8, v9.');
  });

  it.each([1, 200])('is answered as lost where the registry lists it among %s', async (count) => {
    const { host } = await tagsRegistry([...Array.from({ length: count }, (_, at) => `v${at}`), 'latest']);
    const { err } = await regshift(['inspect', `${host}/team/app`]);
    expect(err).toContain('The registry lists the tag, but has lost its manifest. Push the image again.');
    expect(err).not.toContain('Check the tag');
  });

  it.each([[[]], [undefined]])('is answered as before where the registry lists none: %j', async (tags) => {
    const { host } = await tagsRegistry(tags);
    const { err } = await regshift(['inspect', `${host}/team/app`]);
    expect(err).toContain('Check the name and the tag.');
  });

  it('is a tag: a digest, and a manifest that an index names, have no others', async () => {
    const { err } = await regshift(['inspect', `${samples.host}/sample/oci@sha256:${'0'.repeat(64)}`]);
    expect(err).toContain('Check the name and the tag.');
  });
});

/** A registry of one repository without manifests. @param tags undefined for a registry that refuses to list them. */
async function tagsRegistry(tags: readonly string[] | undefined) {
  const server = createServer(({ url = '' }, response) => {
    const isList = url.startsWith('/v2/team/app/tags/list') && tags !== undefined;
    response.writeHead(isList ? 200 : 404, { 'content-type': 'application/json' });
    response.end(isList ? JSON.stringify({ name: 'team/app', tags }) : '{}');
  });
  const { host, stop } = await listen(server);
  onTestFinished(() => stop());
  return { host };
}

describe('the stored image', () => {
  test.each([
    ['oci', 'oci', 2, ['gzip', 'gzip']],
    ['oci-zstd', 'oci', 2, ['zstd', 'zstd']],
    ['oci-no-history', 'oci', undefined, ['gzip', 'gzip']],
    ['schema2-plain-tar', 'schema2', 2, ['none', 'none']],
    ['schema1', 'schema1', 3, ['gzip', 'gzip', 'gzip']],
    // The media type of these layers does not say their compression.
    ['generic', 'generic', 2, ['gzip', 'gzip']],
    ['generic-993', 'generic', 2, ['none', 'none']],
  ])('%s: %s', async (sample, form, history, compressions) => {
    const { stored } = await inspected(sample);
    expect(stored.form).toBe(form);
    expect(stored.image?.history).toBe(history);
    expect(stored.image?.platform).toBe('linux/amd64');
    expect(stored.image?.layers.map(({ compression }) => compression)).toEqual(compressions);
  });

  it('shows the entries of an index, and the image of a platform', async () => {
    const { stored } = await inspected('index', '--platform', 'linux/arm64');
    expect(
      stored.entries?.map(({ platform, attestation }) => (attestation ? 'attestation' : platform)),
    ).toEqual(['linux/amd64', 'linux/arm64/v8', 'attestation', 'attestation']);
    expect(stored.image?.platform).toBe('linux/arm64/v8');
  });

  it('names the platforms of an index that has none for the wanted one, and shows its entries', async () => {
    const { stored } = await inspected('index', '--platform', 'windows/amd64');
    expect(stored.entries).toHaveLength(4);
    expect(stored.image).toBeUndefined();
    expect(stored.noImage).toContain('There is no image for windows/amd64 under this name');
    const { out } = await regshift([
      'inspect',
      `${samples.host}/sample/index`,
      '--platform',
      'windows/amd64',
    ]);
    expect(out).toContain('There is no image for windows/amd64 under this name');
  });

  it('shows the platforms of a platform table', async () => {
    const { stored } = await inspected('fat-generic-table');
    expect(stored.entries?.map(({ platform }) => platform)).toEqual(['linux/amd64', 'linux/arm64']);
  });
});

describe('the response that each client gets', () => {
  it.each(['generic', 'fat-generic', 'schema1', 'schema2', 'list', 'oci', 'oci-zstd', 'index', 'index-zstd'])(
    '%s: is that of the proxy',
    async (sample) => {
      const { clients } = await inspected(sample, '--read-layers');
      expect(clients.map(({ client }) => client)).toEqual(knownClients.map(({ name }) => name));
      const app = testApp();
      for (const [index, { userAgent, accept, program, name }] of knownClients.entries()) {
        const says = program === 'docker' ? ' os/linux arch/amd64' : '';
        const headers: [string, string][] = [
          ['User-Agent', `${userAgent}${says}`],
          ...accept.map((type): [string, string] => ['Accept', type]),
        ];
        const answer = await app.get(`/v2/sample/${sample}/manifests/latest`, headers);
        const digest = answer.status === 200 ? answer.header('Docker-Content-Digest') : undefined;
        expect({ name, digest: clients[index]?.digest }).toEqual({ name, digest });
      }
    },
  );

  it('shows losses, including those of the image of an index', async () => {
    const { clients } = await inspected('index');
    const docker113 = clients.find(({ client }) => client === 'Docker 1.10–18.03');
    expect(docker113).toMatchObject({ form: 'list', losses: [{ kind: 'entries' }, { kind: 'entries' }] });
    const table = (await inspected('fat-generic-table')).clients;
    expect(table.find(({ client }) => client === 'Docker 23–25')?.losses).toMatchObject([
      { kind: 'annotations' },
    ]);
  });

  it('has the reasons of each client, and none for those of registry API v1', async () => {
    const { clients } = await inspected('index');
    const reasons = Object.fromEntries(clients.map(({ client, because }) => [client, because]));
    expect(reasons).toMatchObject({
      'Docker ≤ 1.5': [],
      'Docker 1.6–1.9': ['reads-no-index', 'reads-nearest'],
      'Docker 1.10–18.03': ['reads-nearest'],
      'Docker ≥ 26': ['reads-it'],
    });
    const chart = (await inspected('helm-chart')).clients;
    expect(chart.find(({ client }) => client === 'Docker 1.10–18.03')?.because).toEqual(['reads-nearest']);
  });

  it('refuses a digest for Docker up to 1.5, which cannot ask for one', async () => {
    const { digest } = (await inspected('oci')).stored;
    const { clients } = await inspected(`oci@${digest}`);
    expect(clients[0]).toMatchObject({
      client: 'Docker ≤ 1.5',
      form: 'nothing',
      refused: 'The client pulls by registry API v1, which has no digests.',
    });
  });

  it('has no losses of a conversion that has not run', async () => {
    for (const sample of ['oci-zstd', 'helm-chart']) {
      const { clients } = await inspected(sample);
      const pending = clients.filter(({ unread, refused }) => unread || refused);
      expect(pending.length).toBeGreaterThan(3);
      expect(pending.flatMap(({ losses }) => losses)).toEqual([]);
    }
  });

  it('reads layers only with --read-layers, and says so', async () => {
    for (const sample of ['oci-zstd', 'index-zstd', 'schema1']) {
      const { clients } = await inspected(sample);
      const unread = clients.filter(({ unread }) => unread).map(({ client, form }) => `${client}: ${form}`);
      expect(unread).toEqual(
        {
          'oci-zstd': [
            'Docker ≤ 1.5: registry API v1',
            'Docker 1.6–1.9: schema1',
            'Docker 1.10–18.03: schema2',
            'Docker 18.06–18.09: oci',
            'Docker 19.03.0–4: schema2',
            'Docker 19.03.5–22: oci',
            'BuildKit in Docker 20.10: oci',
          ],
          'index-zstd': [
            'Docker ≤ 1.5: registry API v1',
            'Docker 1.6–1.9: schema1',
            'Docker 1.10–18.03: list',
            'Docker 18.06–18.09: oci-index',
            'Docker 19.03.0–4: list',
            'Docker 19.03.5–22: oci-index',
            'BuildKit in Docker 20.10: oci-index',
          ],
          schema1: [
            'Docker ≥ 26: schema2',
            'containerd 1.5–1.7: schema2',
            'containerd ≥ 2: schema2',
            "Docker 26–28 with containerd's store: schema2",
            'BuildKit in Docker 20.10: schema2',
            'BuildKit ≥ 0.12: schema2',
            'crane: schema2',
          ],
        }[sample],
      );
    }
  });

  it('shows which clients are refused', async () => {
    const { clients } = await inspected('helm-chart');
    const refused = clients.filter(({ refused }) => refused).map(({ client }) => client);
    expect(refused).toEqual(['Docker ≤ 1.5', 'Docker 1.6–1.9', 'Docker 1.10–18.03', 'Docker 19.03.0–4']);
  });
});

describe('the printed text', () => {
  it('has the stored image, and a table of clients', async () => {
    const { code, out } = await regshift(['inspect', `${samples.host}/sample/index-zstd:1.0`]);
    expect(code).toBe(0);
    expect(out).toMatch(/sample\/index-zstd:1\.0 is stored as an OCI index: sha256:\w{64}, \d+ bytes\n/);
    expect(out).toMatch(/^ {2}linux\/amd64 +oci +\d+ bytes +sha256:\w{64}$/m);
    expect(out).toMatch(/^ {2}zstd +[\d,]+ bytes +sha256:\w{64}$/m);
    expect(out).toMatch(/^Docker 1\.10–18\.03 +list +unknown: layers not read$/m);
    expect(out).toMatch(/^Docker 23–25 +as stored +sha256:\w{64}$/m);
    expect(out).toContain('Use --read-layers to read the layers now.');
  });

  it('is 80 columns wide on a terminal, with short digests', async () => {
    const argv = ['inspect', `${samples.host}/sample/index`];
    const { out } = await regshift(argv, { columns: 80 });
    expect(out.split('\n').filter((line) => [...line].length > 80)).toEqual([]);
    expect(out).toMatch(/^ {2}linux\/amd64 +oci +666 bytes +sha256:\w{12}…$/m);
    expect(out).toMatch(/^Docker 1\.10–18\.03 +list +sha256:\w{12}…\n {4}loses: 2 attestations$/m);
    expect(out).not.toMatch(/\w{64}/);
    const { out: full } = await regshift([...argv, '--full'], { columns: 80 });
    expect(full).toMatch(/^ {2}linux\/amd64 +oci +666 bytes +sha256:\w{64}$/m);
  });

  it('has singular and plural', async () => {
    const { out } = await regshift(['inspect', `${samples.host}/sample/schema1`]);
    expect(out).not.toMatch(/\b1 (?:entries|bytes)/);
  });

  it('--raw prints the stored bytes alone', async () => {
    const { bytes, code } = await regshift(['inspect', `${samples.host}/sample/index`, '--raw']);
    const stored = await fetch(`${samples.url}/v2/sample/index/manifests/latest`, {
      headers: { accept: '*/*' },
    });
    expect(code).toBe(0);
    expect(bytes).toEqual(new Uint8Array(await stored.arrayBuffer()));
  });

  it('--format prints a template over the JSON', async () => {
    const template =
      '{{.stored.form}} {{len .stored.entries}}{{range .clients}}{{if .refused}} {{.client}}{{end}}{{end}}';
    const { out } = await regshift(['inspect', `${samples.host}/sample/index`, '--format', template]);
    expect(out).toBe('oci-index 4\n');
  });

  it('has the status of the registry for a missing image', async () => {
    const { code, out, err } = await regshift(['inspect', `${samples.host}/sample/none`]);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain('404');
  });
});

describe('logins of docker login', () => {
  const login = 'alice:wonderland';
  const { fetch } = createSampleRegistry();

  async function withConfig(config: unknown, secretFile?: string) {
    const strict = await startStrictRegistry(login, fetch);
    const folder = temporaryFolder();
    const text = JSON.stringify(config).replaceAll('HOST', strict.host);
    writeFileSync(join(folder, 'config.json'), text);
    if (secretFile !== undefined) {
      mkdirSync(join(folder, 'bin'));
      const helper = join(folder, 'bin/docker-credential-test');
      writeFileSync(helper, secretFile.replaceAll('HOST', strict.host));
      chmodSync(helper, 0o755);
      vi.stubEnv('PATH', `${join(folder, 'bin')}${delimiter}${process.env.PATH}`);
    }
    try {
      const ran = await regshift(['inspect', `${strict.host}/sample/oci`], {
        env: { DOCKER_CONFIG: folder },
      });
      return { ...ran, authorizations: strict.authorizations };
    } finally {
      vi.unstubAllEnvs();
      await strict.stop();
    }
  }

  it('are used for their host', async () => {
    expect(await withConfig({ auths: { HOST: { auth: btoa(login) } } })).toMatchObject({ code: 0, err: '' });
  });

  it('come from the credential helper', async () => {
    const helper = `#!/bin/sh
read address
[ "$1 $address" = "get HOST" ] && printf '{"ServerURL":"%s","Username":"alice","Secret":"wonderland"}' "$address"
`;
    expect(await withConfig({ credsStore: 'test' }, helper)).toMatchObject({ code: 0, err: '' });
  });

  it('missing: the request carries none, and the error names the 401', async () => {
    const helper = "#!/bin/sh\necho 'credentials not found in native keychain'\nexit 1\n";
    const ran = await withConfig({ credsStore: 'test' }, helper);
    expect(ran).toMatchObject({ code: 1, out: '', err: expect.stringContaining('401') });
    expect(ran.authorizations.every((each) => each === '')).toBe(true);
  });

  it('of other hosts are not sent', async () => {
    const ran = await withConfig({ auths: { 'registry.example': { auth: btoa(login) } } });
    expect(ran.code).toBe(1);
    expect(ran.authorizations.every((each) => each === '')).toBe(true);
  });

  it('in an invalid file: the error names the file', async () => {
    const ran = await withConfig(['no config']);
    expect(ran).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining('config.json is not a configuration file of docker login'),
    });
  });
});

it('names an image as the registry does, also by SHA-512', async () => {
  const built = builtRepository('team/long');
  const { digest, mediaType } = addImage(built);
  const bytes = built.manifests.get(digest)?.bytes ?? new Uint8Array();
  const root = built.manifest(mediaType, bytes, digestOf(bytes, 'sha512'));
  const serve = built.serve(root);
  const registry = await startStrictRegistry('a:b', async (url, init) => {
    return (await serve(new Request(url, init), new URL(url))) ?? new Response(null);
  });
  onTestFinished(() => registry.stop());
  const { json } = await regshift(['inspect', `${registry.host}/team/long`, '--json', '--creds', 'a:b']);
  const { stored } = json<Inspected>();
  expect([stored.digest, stored.image?.digest]).toEqual([root.digest, root.digest]);
});
