import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { digestOf } from '../../../../converters/digest.ts';
import { mediaTypes } from '../../../../converters/media-types.ts';
import { findKnownClient } from '../../../../src/negotiation/known-clients.ts';
import { testApp } from '../../../support/app.ts';
import { regshift, temporaryFolder } from '../../../support/cli.ts';
import { startStrictRegistry } from '../../../support/strict-registry.ts';
import { useSampleServer } from '../../../support/use-sample-server.ts';

interface Explained {
  readonly client: { readonly name: string; readonly rows: readonly { readonly lacks: string }[] };
  readonly reads: { readonly types: readonly string[]; readonly anything: boolean; readonly zstd: boolean };
  readonly platform: string;
  readonly steps: readonly { readonly kind: string; readonly form?: string; readonly because: string }[];
  readonly answer: Record<string, unknown>;
}

const samples = useSampleServer();

async function explained(sample: string, ...options: string[]): Promise<Explained> {
  const argv = ['explain', `${samples.host}/sample/${sample}`, '--json', ...options];
  const { code, json, err } = await regshift(argv);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return json<Explained>();
}

/** Every reason of negotiation, with a client and an image that show it: the steps, each with its reason. */
const cases: readonly (readonly [sample: string, options: readonly string[], steps: readonly string[]])[] = [
  ['oci', ['--accept', '*/*'], ['stored: takes-anything']],
  ['oci', ['--for', 'docker-20.10'], ['stored: reads-it']],
  ['oci', ['--for', 'docker-1.12.6'], ['image schema2: reads-nearest']],
  ['oci', [], ['image schema1: reads-nearest']],
  ['index', ['--for', 'docker-1.8'], ['choose: reads-no-index', 'image schema1: reads-nearest']],
  ['index', ['--for', 'docker-17.05'], ['index schema2: reads-nearest']],
  ['index-zstd', ['--for', 'docker-20.10', '--read-layers'], ['index oci: zstd-inside']],
  ['oci-zstd', ['--for', 'docker-20.10', '--read-layers'], ['image oci: zstd-layers']],
  ['schema1-unsigned', ['--for', 'docker-20.10'], ['image schema1: unsigned']],
  ['schema1', ['--accept', 'application/json', '--user-agent', 'docker/28.0.0'], ['refuse: reads-no-form']],
  ['schema1', ['--accept', 'text/html', '--user-agent', 'docker/28.0.0'], ['image schema2: reads-nearest']],
  ['schema2', ['--for', 'skopeo', '--pin', 'oci'], ['image oci: pinned']],
  ['list', ['--for', 'podman', '--pin', 'schema1'], ['choose: pinned', 'image schema1: pinned']],
];

test.each([
  ['cri-o-1.34', 'cri-o/1.34'],
  ['buildah-1.41', 'Buildah/1.41'],
  ['buildkit', 'buildkit/v0.12'],
  ['crane', 'crane/v0.20.2 go-containerregistry/v0.20.2'],
  ['podman', 'skopeo/1.9.3'],
  ['cri-o', 'skopeo/1.9.3'],
  ['docker-18.09.1', 'docker/18.09.1'],
])('--for %s sends the User-Agent %s', (client, userAgent) => {
  expect(findKnownClient(client)?.userAgent).toBe(userAgent);
});

describe('regshift explain', () => {
  test.each(cases)('%s %j: %j', async (sample, options, steps) => {
    const { steps: printed } = await explained(sample, ...options);
    expect(printed.map(({ kind, form, because }) => `${kind}${form ? ` ${form}` : ''}: ${because}`)).toEqual(
      steps,
    );
  });

  it('shows the response of the proxy', async () => {
    const { answer } = await explained('index', '--for', 'docker-1.9');
    const response = await testApp().get('/v2/sample/index/manifests/latest', {
      'User-Agent': 'docker/1.9.1 os/linux arch/amd64',
    });
    expect(answer).toMatchObject({
      status: 200,
      mediaType: response.header('Content-Type'),
      digest: response.header('Docker-Content-Digest'),
      source: response.header('Regshift-Source-Digest'),
    });
  });

  it('shows the profile of a client, and the forms that it reads', async () => {
    const { client, reads, platform } = await explained(
      'oci',
      '--for',
      'docker-19.03.2',
      '--platform',
      'linux/arm/v6',
    );
    expect(client.rows.map(({ lacks }) => lacks)).toEqual(['oci', 'untypedSchema2', 'zstd', 'nestedIndex']);
    expect(reads).toMatchObject({ anything: false, zstd: false });
    expect(reads.types).not.toContain(mediaTypes.ociManifest);
    // The User-Agent names arch/arm; the variant comes from --platform.
    expect(platform).toBe('linux/arm/v6');
  });

  it('names another digest to pull if the client cannot read the form of this one', async () => {
    const { answer } = await explained('oci', '--for', 'docker-28');
    const byDigest = await explained(`oci@${answer.digest}`, '--for', 'docker-1.13');
    expect(byDigest.answer).toMatchObject({ status: 404, code: 'UNSUPPORTED' });
    expect(byDigest.answer.message).toMatch(/Pull sample\/oci@sha256:\w{64} instead/);
    const named = await explained(
      `oci@${answer.digest}`,
      '--accept',
      mediaTypes.ociManifest,
      '--user-agent',
      'x/1',
    );
    expect(named.steps.map(({ because }) => because)).toEqual(['reads-it']);
  });

  it('uses the exact version that --for names', async () => {
    const named = async (client: string) => (await explained('oci', '--for', client)).client.name;
    expect(await named('docker-1.12.6')).toBe('docker/1.12.6');
    expect(await named('docker-1.13')).toBe('docker/1.13.1');
    expect(await named('podman-4.3')).toBe('skopeo/1.9.3');
  });

  it('explains a document of an unknown dialect, which passes unchanged', async () => {
    const document = JSON.stringify({ schemaVersion: 7, mediaType: 'application/vnd.example+json' });
    const digest = digestOf(new TextEncoder().encode(document));
    const headers = { 'Content-Type': 'application/vnd.example+json', 'Docker-Content-Digest': digest };
    const strict = await startStrictRegistry('a:b', async () => new Response(document, { headers }));
    const folder = temporaryFolder();
    const auths = { [strict.host]: { auth: btoa('a:b') } };
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ auths }));
    try {
      const argv = ['explain', `${strict.host}/x`, '--accept', '*/*', '--json'];
      const { code, json } = await regshift(argv, { env: { DOCKER_CONFIG: folder } });
      expect(code).toBe(0);
      expect(json()).toMatchObject({ steps: [{ kind: 'stored', mediaType: 'unknown' }], answer: { digest } });
    } finally {
      await strict.stop();
    }
  });

  it('shows that Docker up to 1.5 uses registry API v1', async () => {
    const { answer, steps } = await explained('oci', '--for', 'docker-1.3.3');
    expect(steps).toEqual([]);
    expect(answer).toMatchObject({ status: 404, code: 'MANIFEST_UNKNOWN' });
  });

  it.each<[sample: string, argv: readonly string[], then: RegExp]>([
    ['oci', [], /^ {2}then +the client pulls 2 images by registry API v1$/m],
    ['oci-zstd', [], /pulls the image by registry API v1, after the layers are read\. Use --read-layers/],
    ['oci-zstd', ['--read-layers'], /pulls \d+ images? by registry API v1$/m],
    [
      'index',
      ['--platform', 'linux/s390x'],
      /gets nothing by registry API v1: There is no image for linux\/s390x/,
    ],
  ])('says what it gets by registry API v1: %s %j', async (sample, argv, then) => {
    const image = `${samples.host}/sample/${sample}`;
    const { out } = await regshift(['explain', image, '--for', 'docker-1.5', ...argv]);
    expect(out).toContain('404 MANIFEST_UNKNOWN: This Docker cannot pull by registry API v2.');
    expect(out).toMatch(then);
    const { json } = await regshift(['explain', image, '--for', 'docker-1.5', ...argv, '--json']);
    expect(json()).toMatchObject({ byApiV1: { losses: [] } });
    const newer = await regshift(['explain', image, '--for', 'docker-1.6', ...argv]);
    expect(newer.out).not.toContain('API v1');
  });

  it('prints the steps with their reasons', async () => {
    const { code, out } = await regshift(['explain', `${samples.host}/sample/index`, '--for', 'docker-1.9']);
    expect(code).toBe(0);
    expect(out).toMatch(/^Accept +not sent, like Docker up to 1\.9$/m);
    expect(out).toMatch(
      /^ {2}known +docker before 23\.0\.0 cannot decompress zstd layers: .*invalid tar header/m,
    );
    expect(out).toMatch(
      /^ {2}because +the client reads no form of index, so the image of its platform is chosen$/m,
    );
    expect(out).toMatch(/^response +a schema 1 manifest, [\d,]+ bytes$/m);
  });

  it.each<[Record<string, string>, string, string, string]>([
    [
      { REGSHIFT_INDEX: 'one' },
      'index',
      'choose: index-one',
      'because +one image is set for each index: REGSHIFT_INDEX',
    ],
    [
      { REGSHIFT_ATTESTATIONS: 'drop' },
      'index',
      'index oci: no-attestations',
      'decision +the stored index without its attestations',
    ],
    [
      { REGSHIFT_LAYERS: 'plain' },
      'oci-zstd',
      'image oci: zstd-layers',
      'zstd layers +no \\(REGSHIFT_LAYERS, or its rule\\)',
    ],
    [
      { REGSHIFT_CLIENTS: JSON.stringify({ match: { userAgent: 'skopeo/*' }, lacks: ['attestations'] }) },
      'index',
      'index oci: no-attestations',
      'rule +clients\\[0\\] of REGSHIFT_CLIENTS applies',
    ],
  ])('reads %o: %s is %s', async (env, sample, step, row) => {
    const argv = ['explain', `${samples.host}/sample/${sample}`, '--for', 'skopeo', '--read-layers'];
    const { steps } = (await regshift([...argv, '--json'], { env })).json<Explained>();
    const [{ kind, form, because } = { kind: '', form: '', because: '' }] = steps;
    expect(`${kind}${form ? ` ${form}` : ''}: ${because}`).toBe(step);
    expect((await regshift(argv, { env })).out).toMatch(new RegExp(`^ *${row}$`, 'm'));
  });

  it('says that layers must be read first', async () => {
    const argv = ['explain', `${samples.host}/sample/oci-zstd`, '--for', 'docker-1.13'];
    const { code, out } = await regshift(argv);
    expect(code).toBe(0);
    const advice =
      'The layer sha256:\\w{64} would have to be read first\\. Use --read-layers to read it now\\.';
    expect(out).toMatch(new RegExp(`^response +${advice}`, 'm'));
    const raw = await regshift([...argv, '--raw']);
    expect(raw).toMatchObject({ code: 1, out: '', err: expect.stringMatching(`^regshift: ${advice}\n$`) });
  });
});

it('hints at --for, if the command names no client', async () => {
  const hint = 'Name another one, like --for docker-20.10.\n';
  const image = `${samples.host}/sample/oci`;
  const bare = await regshift(['explain', image]);
  expect([bare.code, bare.err.endsWith(hint)]).toEqual([0, true]);
  for (const more of [
    ['--for', 'crane'],
    ['--accept', '*/*'],
    ['--user-agent', 'x/1'],
    ['--json'],
    ['--raw'],
  ])
    expect((await regshift(['explain', image, ...more])).err).toBe('');
});
