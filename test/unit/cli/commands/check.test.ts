import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, test } from 'vitest';
import { knownClients } from '../../../../src/negotiation/known-clients.ts';
import { regshift } from '../../../support/cli.ts';
import { imageOfLayers } from '../../../support/many-layers.ts';
import { type RunningProxy, startProxy } from '../../../support/proxy.ts';
import { pushImage } from '../../../support/push.ts';
import { startUploadRegistry } from '../../../support/upload-registry.ts';
import { useSampleServer } from '../../../support/use-sample-server.ts';

interface Checked {
  readonly valid: boolean;
  readonly images: readonly {
    readonly image: string;
    readonly failed?: string;
    readonly regshift?: true;
    readonly clients: readonly {
      readonly client: string;
      readonly works: boolean;
      readonly obstacle?: {
        readonly kind: string;
        readonly reason: string;
        readonly evidence: string[];
        readonly prints?: string;
      };
      readonly help?: string;
      readonly proxy?: { readonly works: boolean; readonly detail: string };
    }[];
  }[];
}

/** A registry that sends what it stores, whatever `Accept` says. */
const samples = useSampleServer();

async function checked(sample: string, clients: string, ...options: string[]) {
  const { code, json, err } = await regshift([
    ...['check', `${samples.host}/sample/${sample}`, '--clients', clients, '--json', ...options],
  ]);
  return { code, err, ...json<Checked>() };
}

test('--for names the clients, as in the other commands', async () => {
  const image = `${samples.host}/sample/oci`;
  const { code, json } = await regshift(['check', image, '--for', 'docker-1.13,docker-28', '--json']);
  const clients = json<Checked>().images[0]?.clients.map(({ client, works }) => [client, works]);
  expect([code, clients]).toEqual([
    1,
    [
      ['docker-1.13', false],
      ['docker-28', true],
    ],
  ]);
});

describe('the message of a client', () => {
  test.each([
    ['containerd-2.0', /^Pulling Schema 1 images have been deprecated/],
    ['containerd-2.1', /is no longer supported since containerd v2\.1, please rebuild the image as …$/],
    ['containerd-2.3', /is no longer supported since containerd v2\.1, please rebuild the image as …$/],
  ])('is that of its version: %s', async (client, message) => {
    const { images } = await checked('schema1', client);
    expect(images[0]?.clients[0]?.obstacle?.prints).toMatch(message);
  });
});

describe('straight from the registry', () => {
  test.each<[sample: string, works: readonly string[], fails: Readonly<Record<string, string>>]>([
    [
      'oci',
      ['docker-18.09', 'docker-20.10', 'docker-28', 'podman-4', 'containerd-2', 'crane', 'lambda'],
      { 'docker-1.5': 'api', 'docker-1.9': 'form', 'docker-1.13': 'form', 'docker-19.03.3': 'form' },
    ],
    [
      'schema2',
      ['docker-1.13', 'docker-19.03.3', 'docker-28', 'containerd-2', 'lambda'],
      { 'docker-1.9': 'form' },
    ],
    [
      'schema1',
      ['docker-1.9', 'docker-1.13', 'docker-24', 'podman-4'],
      { 'docker-28': 'form', 'containerd-2': 'form', crane: 'form', lambda: 'form' },
    ],
    [
      'oci-zstd',
      ['docker-24', 'podman-4', 'containerd-2'],
      { 'docker-20.10': 'layers', 'buildkit-0.8': 'layers' },
    ],
    [
      'index',
      ['docker-18.06', 'docker-20.10', 'containerd-2', 'cri-o'],
      { 'docker-1.9': 'index', 'docker-1.13': 'index', lambda: 'index' },
    ],
    ['index-zstd', ['docker-24'], { 'docker-20.10': 'layers' }],
    ['list', ['docker-1.13', 'docker-28'], { 'docker-1.9': 'index', lambda: 'index' }],
    ['generic', [], { 'docker-1.13': 'form', 'docker-28': 'form', 'podman-4': 'form' }],
  ])('%s', async (sample, works, fails) => {
    const { code, images } = await checked(sample, [...works, ...Object.keys(fails)].join(','));
    const clients = images[0]?.clients ?? [];
    expect(clients.filter((each) => each.works).map(({ client }) => client)).toEqual(works);
    const kinds = clients.flatMap(({ client, obstacle }) => (obstacle ? [[client, obstacle.kind]] : []));
    expect(Object.fromEntries(kinds)).toEqual(fails);
    expect(code).toBe(Object.keys(fails).length === 0 ? 0 : 1);
  });

  it('has the evidence of the tables, the message of the client, and what helps', async () => {
    const { images } = await checked('oci-zstd', 'docker-20.10');
    expect(images[0]?.clients[0]).toMatchObject({
      works: false,
      obstacle: {
        reason: 'it cannot decompress zstd layers',
        evidence: [expect.stringContaining('docker before 23.0.0: 20.10: "archive/tar: invalid tar header"')],
        prints: 'archive/tar: invalid tar header',
      },
      help: expect.stringContaining('compression=gzip'),
    });
    const { images: old } = await checked('oci', 'docker-1.13');
    expect(old[0]?.clients[0]?.obstacle).toMatchObject({
      reason: 'it does not read an OCI manifest',
      evidence: ['Accept of its requests names schema2, list, schema1'],
      prints: 'missing signature key',
    });
  });

  test.each([
    ['oci', 'docker-1.13', '--provenance=false and oci-mediatypes=false in --output'],
    ['index', 'docker-1.13', '--provenance=false and oci-mediatypes=false in --output'],
    ['index', 'lambda', '--provenance=false --sbom=false --platform …'],
    // No builder of today makes schema 1.
    ['oci', 'docker-1.9', undefined],
  ])('%s for %s: the help is %s', async (sample, client, help) => {
    const { images } = await checked(sample, client);
    expect(images[0]?.clients[0]?.help?.replace('build it with docker buildx build ', '')).toBe(help);
  });

  it('finds a platform that is missing, in an index and in one image', async () => {
    for (const sample of ['index', 'oci']) {
      const { code, images } = await checked(
        sample,
        'docker-24',
        '--platform',
        'linux/s390x',
        '--with-proxy',
      );
      expect(code).toBe(1);
      expect(images[0]?.clients[0]).toMatchObject({
        obstacle: { kind: 'platform' },
        proxy: { works: false },
      });
    }
  });
});

describe('an image with more layers than Docker registers', () => {
  const verdicts = async (count: number, clients: string) => {
    const registry = await startUploadRegistry();
    onTestFinished(() => registry.stop());
    await pushImage(`http://${registry.host}`, 'team/app', '1.0', imageOfLayers(count));
    const image = `${registry.host}/team/app:1.0`;
    const { json } = await regshift(['check', image, '--clients', clients, '--with-proxy', '--json']);
    return json<Checked>().images[0]?.clients ?? [];
  };

  it('works in no form, with its message', async () => {
    const clients = await verdicts(126, 'docker-1.13,docker-20.10,docker-29,podman-4,containerd-2');
    expect(clients.map(({ client, works, proxy }) => [client, works, proxy?.works])).toEqual([
      // Docker 1.13 reads no OCI image either.
      ['docker-1.13', false, false],
      ['docker-20.10', false, false],
      ['docker-29', true, undefined],
      ['podman-4', true, undefined],
      ['containerd-2', true, undefined],
    ]);
    expect(clients[1]).toMatchObject({
      obstacle: { kind: 'depth', prints: 'failed to register layer: max depth exceeded' },
      help: expect.stringContaining('fewer layers'),
      proxy: { detail: 'it registers at most 125 layers, and the image has 126' },
    });
  });

  it('does not have 125', async () => {
    const clients = await verdicts(125, 'docker-1.13,docker-20.10');
    expect(clients.map(({ works, proxy }) => works || proxy?.works)).toEqual([true, true]);
  });
});

describe('at the address of a regshift', () => {
  let proxy: RunningProxy;
  beforeAll(async () => {
    proxy = await startProxy(samples.url);
  });
  afterAll(() => proxy.stop());
  const verdicts = (image: string, clients: string, ...options: string[]) =>
    regshift(['check', `127.0.0.1:${proxy.port}/${image}`, '--clients', clients, ...options]);

  const each = knownClients.map(({ id }) => id).join(',');
  test.each(['oci', 'schema1', 'oci-zstd', 'index', 'index-zstd', 'list', 'generic'])(
    'every client can use what regshift sends for %s',
    async (sample) => {
      const { code, json } = await verdicts(`sample/${sample}`, each, '--json');
      const { images } = json<Checked>();
      expect(images[0]?.clients.filter(({ works }) => !works)).toEqual([]);
      expect([code, images[0]?.regshift, images[0]?.clients.length]).toEqual([0, true, knownClients.length]);
    },
  );

  it('has the reason of regshift for a client that gets nothing', async () => {
    const clients = 'docker-1.5,docker-1.9,docker-24,lambda';
    const { code, json } = await verdicts('sample/index', clients, '--platform', 'linux/s390x', '--json');
    expect(code).toBe(1);
    expect(json<Checked>().images[0]?.clients.map(({ obstacle }) => obstacle?.reason)).toEqual([
      expect.stringMatching(/^regshift refuses its request: .*s390x/),
      expect.stringMatching(
        /^regshift refuses its request: The proxy answered 404 for .*There is no image for linux\/s390x/,
      ),
      expect.stringContaining('s390x'),
      'it pulls from its own registry: copy the image there (regshift copy)',
    ]);
  });

  it('says that API v1 has no digests', async () => {
    const [digest] = /sha256:[0-9a-f]{64}/.exec((await verdicts('sample/oci', 'docker-24')).out) ?? [];
    const { out } = await verdicts(`sample/oci@${digest}`, 'docker-1.5');
    expect(out).toContain('it pulls by registry API v1, which has no digests');
  });

  it('says so, and does not offer --with-proxy', async () => {
    const { out } = await verdicts('sample/index', 'docker-1.13,lambda');
    expect(out).toContain('\n  A regshift serves it: the verdicts are about what it sends to each client.\n');
    expect(out).toMatch(/\n1 of 2 verdicts bad\.\n$/);
    const straight = await regshift(['check', `${samples.host}/sample/index`, '--clients', 'docker-24']);
    expect(straight.out).not.toContain('A regshift serves it');
  });
});

describe('--with-proxy', () => {
  test.each([
    ['oci', 'docker-1.5', true, /registry API v1, 2 images/],
    ['oci', 'docker-1.13', true, /^schema2$/],
    ['oci-zstd', 'docker-20.10', true, /after regshift has read the layers/],
    ['schema1', 'containerd-2', true, /after regshift has read the layers/],
    ['index', 'lambda', false, /copy the image there/],
  ])('%s for %s: %s', async (sample, client, works, detail) => {
    const { code, images } = await checked(sample, client, '--with-proxy');
    expect(code).toBe(1);
    expect(images[0]?.clients[0]?.proxy).toMatchObject({ works, detail: expect.stringMatching(detail) });
  });
});

describe('--pods', () => {
  const spec = (...images: string[]) => ({ containers: images.map((image) => ({ name: 'x', image })) });
  const input = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

  it('checks each image of a list of pods once, of init containers too', async () => {
    const oci = `${samples.host}/sample/oci`;
    const index = `${samples.host}/sample/index`;
    const items = [{ spec: { ...spec(oci), initContainers: spec(index).containers } }, { spec: spec(oci) }];
    const argv = ['check', '--pods', '--clients', 'containerd-2', '--json'];
    const { code, json } = await regshift(argv, { input: input({ kind: 'List', items }) });
    expect(code).toBe(0);
    expect(json<Checked>().images.map(({ image }) => image)).toEqual([index, oci]);
    const one = await regshift(argv, { input: input({ kind: 'Pod', spec: spec(oci) }) });
    expect(one.json<Checked>().images).toHaveLength(1);
  });

  it('says that there are no pods', async () => {
    const none = { input: input({ kind: 'List', items: [] }) };
    expect(await regshift(['check', '--pods'], none)).toMatchObject({
      code: 0,
      out: 'The list has no pods, so there is nothing to check.\n',
      err: '',
    });
    const { code, json } = await regshift(['check', '--pods', '--json'], none);
    expect([code, json()]).toEqual([0, { valid: true, images: [] }]);
  });

  it('takes no Deployment for a pod without images', async () => {
    const deployment = { kind: 'Deployment', spec: { template: { spec: { containers: [{ image: 'a' }] } } } };
    for (const given of [deployment, { kind: 'List', items: [deployment] }]) {
      const { code, err } = await regshift(['check', '--pods'], { input: input(given) });
      expect([code, err]).toEqual([2, expect.stringContaining('Standard input has no pods.')]);
    }
  });

  it('names the pod of an image whose name is wrong, and has the verdicts for the others', async () => {
    const oci = `${samples.host}/sample/oci`;
    const items = [
      { metadata: { namespace: 'shop', name: 'web' }, spec: spec('Al\u202epine', oci) },
      { spec: spec('a:') },
    ];
    const argv = ['check', '--pods', '--clients', 'docker-24', '--github'];
    const { code, out, err } = await regshift(argv, { input: input({ items }) });
    expect([code, err]).toEqual([1, '']);
    expect(out).toContain('"Al?pine" is not an image name');
    expect(out).toContain('It is an image of the pod shop/web.\n');
    expect(out).toContain('1 verdict, all good. 2 images could not be checked.\n');
    expect(out).toContain('::error title=Al?pine cannot be checked::"Al?pine" is not an image name');
    expect(out).not.toContain('\u202e');
  });

  test.each(['', '{}', '[1]'])('says what it expects for %j', async (text) => {
    const { code, err } = await regshift(['check', '--pods'], { input: new TextEncoder().encode(text) });
    expect(code).toBe(2);
    expect(err).toContain('Use: kubectl get pods -o json | regshift check --pods');
  });
});

it('goes on after an image that cannot be checked, and fails', async () => {
  const argv = [
    'check',
    `${samples.host}/no/such`,
    `${samples.host}/sample/oci`,
    '--clients',
    'docker-24',
    '--json',
  ];
  const { code, json } = await regshift(argv);
  expect(code).toBe(1);
  const { images } = json<Checked>();
  expect(images[0]?.failed).toBeTruthy();
  expect(images[1]?.clients[0]?.works).toBe(true);
});

it('prints for people within 80 columns, and counts', async () => {
  const argv = ['check', `${samples.host}/sample/oci-zstd`, '--clients', 'docker-20.10,lambda,docker-24'];
  const { code, out } = await regshift(argv, { columns: 80 });
  expect(code).toBe(1);
  expect(out.split('\n').filter((line) => line.length > 80)).toEqual([]);
  expect(out).toMatch(/^ {2}BAD {3}docker-20\.10 {2}it cannot decompress zstd layers$/m);
  expect(out).toContain('2 of 3 verdicts bad. --with-proxy tells whether regshift helps.');
  expect(out).not.toContain('\x1b');
  expect((await regshift(argv, { columns: 80, color: true })).out).toContain('\x1b[31mBAD\x1b[39m');
});

describe('--github', () => {
  it('prints annotations with escapes, and adds a table to the summary', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'regshift-github-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'summary.md');
    const argv = ['check', `${samples.host}/sample/oci`, '--clients', 'docker-1.13,docker-24', '--github'];
    const { code, out } = await regshift(argv, { env: { GITHUB_STEP_SUMMARY: file } });
    expect(code).toBe(1);
    const lines = out.split('\n').filter((line) => line.startsWith('::'));
    expect(lines).toEqual([
      expect.stringMatching(
        /^::error title=Docker 1\.10–18\.03 cannot use 127\.0\.0\.1%3A\d+\/sample\/oci::it does not read an OCI manifest%0AHelp: /,
      ),
    ]);
    const summary = readFileSync(file, 'utf8');
    expect(summary).toContain(
      `| ${samples.host}/sample/oci | Docker 1.10–18.03 | ❌ | it does not read an OCI manifest |`,
    );
    expect(summary).toContain('| Docker 23–25 | ✅ |  |');
  });

  test.each([
    [['--json'], /^\{\n {2}"valid": false,.*\n\}\n$/s],
    [['--format', '{{.valid}}'], /^false\n$/],
  ])('leaves standard output to %j', async (data, result) => {
    const argv = ['check', `${samples.host}/sample/oci`, '--clients', 'docker-1.13', '--github', ...data];
    const { code, out, err } = await regshift(argv);
    expect([code, out]).toEqual([1, expect.stringMatching(result)]);
    expect(err).toMatch(/^::error title=Docker 1\.10–18\.03 cannot use [^\n]+\n$/);
  });
});

test.each([
  [['check'], /Name an image, or use --pods/],
  [
    ['check', 'x', '--clients', 'netscape'],
    /netscape is not a known client\. Known clients: docker-1\.5, .*, cri-o, lambda\./,
  ],
])('wrong usage: %j', async (argv, why) => {
  const { code, err } = await regshift(argv);
  expect(code).toBe(2);
  expect(err).toMatch(why);
});
