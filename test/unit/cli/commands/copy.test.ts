import { writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, test } from 'vitest';
import { digestOf } from '../../../../converters/digest.ts';
import { readManifest } from '../../../../converters/read.ts';
import { createSampleRegistry } from '../../../../src/sample-registry/registry.ts';
import { testApp } from '../../../support/app.ts';
import { addImage, builtRepository } from '../../../support/built-repository.ts';
import { ownTmpdir, regshift, temporaryFolder } from '../../../support/cli.ts';
import { listen } from '../../../support/listen.ts';
import { startLoginRegistry } from '../../../support/login-registry.ts';
import { specError } from '../../../support/scripted-upstream.ts';
import { testSigningKey } from '../../../support/signing-key.ts';
import { startStrictRegistry } from '../../../support/strict-registry.ts';
import { startUploadRegistry, type UploadRegistryOptions } from '../../../support/upload-registry.ts';
import { useSampleServer } from '../../../support/use-sample-server.ts';

interface Copied {
  readonly digest: string;
  readonly form: string;
  readonly kind: string;
  readonly sent: number;
  readonly blobs: readonly { readonly digest: string; readonly transfer: string; readonly sent: number }[];
  readonly manifests: readonly { readonly digest: string; readonly transfer: string }[];
  readonly losses: readonly { readonly kind: string; readonly reason: string }[];
}

const samples = useSampleServer();

async function targetRegistry(options: UploadRegistryOptions = {}) {
  const registry = await startUploadRegistry(options);
  onTestFinished(() => registry.stop());
  const copy = async (sample: string, ...argv: string[]) => {
    const to = `${registry.host}/copied/${sample}:1.0`;
    const { code, err, json } = await regshift([
      'copy',
      `${samples.host}/sample/${sample}`,
      to,
      ...argv,
      '--json',
    ]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    return json<Copied>();
  };
  return { registry, copy };
}

/** The digest of a copy beside that of its source, as the table of docs/copies.md tells. */
const digestsOfCopies: readonly (readonly [
  sample: string,
  argv: string,
  digest: 'same' | 'image' | 'other',
])[] = [
  ['oci', '', 'same'],
  ['oci-zstd', '', 'same'],
  ['helm-chart', '', 'same'],
  ['oci', '--as oci', 'same'],
  ['oci', '--decompress', 'same'],
  ['oci-zstd', '--as oci', 'same'],
  ['oci-zstd', '--decompress', 'other'],
  ['oci', '--as schema2', 'other'],
  ['index', '', 'image'],
  ['index', '--decompress', 'image'],
  ['index', '--platform linux/arm64', 'image'],
  ['oci', '--platform linux/amd64', 'same'],
  ['helm-chart', '--platform linux/arm64', 'same'],
  ['index', '--all', 'same'],
  ['index', '--all --as oci', 'same'],
  ['index', '--all --as schema2', 'other'],
  ['index', '--all --drop attestations', 'other'],
  ['index', '--all --decompress', 'other'],
  ['list', '', 'image'],
  ['list', '--all', 'same'],
  ['list', '--all --decompress', 'same'],
  ['list', '--all --drop attestations', 'same'],
  ['index-zstd', '--all', 'same'],
  ['index-zstd', '--all --decompress', 'other'],
];

test.each(digestsOfCopies)('sample/%s with %j has the digest: %s', async (sample, options, expected) => {
  const { copy } = await targetRegistry();
  const { digest } = await copy(sample, ...options.split(' ').filter((word) => word !== ''));
  const image = await regshift(['inspect', `${samples.host}/sample/${sample}`, '--json']);
  const { stored } = image.json<{ stored: { digest: string; entries?: { digest: string }[] } }>();
  const ofEntries = stored.entries?.map((entry) => entry.digest) ?? [];
  expect(digest === stored.digest ? 'same' : ofEntries.includes(digest) ? 'image' : 'other').toBe(expected);
});

describe('regshift copy', () => {
  it.each(['oci', 'oci-zstd', 'schema2', 'schema1', 'generic', 'helm-chart'])(
    'copies sample/%s byte for byte, with all content',
    async (sample) => {
      const { registry, copy } = await targetRegistry();
      const { digest, manifests, blobs, losses } = await copy(sample);
      const stored = registry.manifests.get(`copied/${sample}:1.0`) ?? new Uint8Array();
      const source = await fetch(`${samples.url}/v2/sample/${sample}/manifests/latest`);
      expect(stored).toEqual(new Uint8Array(await source.arrayBuffer()));
      expect(source.headers.get('docker-content-digest')).toBe(digest);
      expect(manifests).toEqual([{ digest, transfer: 'uploaded', sent: stored.length }]);
      expect(losses).toEqual([]);
      expect(blobs.map((blob) => blob.digest).toSorted()).toEqual([...registry.blobs.keys()].toSorted());
    },
  );

  it('copies a whole index with its attestations: blobs, then children, then the index', async () => {
    const { registry, copy } = await targetRegistry();
    const { kind, manifests } = await copy('index', '--all');
    expect(kind).toBe('index');
    expect(manifests).toHaveLength(5);
    const writes = registry.requests.map((request) => request.replace(/sha256:\w+/, 'digest'));
    const first = writes.indexOf('PUT manifest digest');
    expect(writes.slice(0, first).every((request) => request.includes('upload'))).toBe(true);
    expect(writes.slice(first)).toEqual([...Array(4).fill('PUT manifest digest'), 'PUT manifest 1.0']);
  });

  it('drops attestations, and keeps the images as they are', async () => {
    const { registry, copy } = await targetRegistry();
    const { manifests } = await copy('index', '--all', '--drop', 'attestations');
    expect(manifests).toHaveLength(3);
    const model = readManifest(registry.manifests.get('copied/index:1.0') ?? new Uint8Array());
    expect(model.kind === 'index' && model.dependencies.map(({ attestation }) => attestation)).toEqual([
      false,
      false,
    ]);
    const whole = await targetRegistry();
    const all = await whole.copy('index', '--all');
    const digests = all.manifests.map(({ digest }) => digest);
    expect(manifests.slice(0, 2).every(({ digest }) => digests.includes(digest))).toBe(true);
  });

  it('says why attestations are left out beside decompressed layers, in the form of the source', async () => {
    const { copy } = await targetRegistry();
    const { losses } = await copy('index', '--all', '--decompress');
    expect(losses.map(({ reason }) => reason)).toEqual(
      Array(2).fill(expect.stringContaining('which clients that cannot read zstd take for an image')),
    );
  });

  it('does not replace its own source by something else', async () => {
    const { registry, copy } = await targetRegistry();
    await copy('index', '--all');
    const image = `${registry.host}/copied/index:1.0`;
    const stored = registry.manifests.get('copied/index:1.0');
    const { code, err } = await regshift(['copy', image, image]);
    expect([code, err]).toEqual([
      2,
      `regshift: The copy would replace its own source, ${image}. Give the target another tag, or use --all for the whole index.\n`,
    ]);
    const converted = await regshift(['copy', image, image, '--all', '--as', 'schema2']);
    expect([converted.code, converted.err]).toEqual([2, expect.stringMatching(/another tag\.\n$/)]);
    expect(registry.manifests.get('copied/index:1.0')).toBe(stored);
    expect((await regshift(['copy', image, image, '--all'])).code).toBe(0);
    expect((await regshift(['copy', image, `${registry.host}/copied/index:2.0`])).code).toBe(0);
  });

  it.each([
    ['oci', 'schema2', 'docker/1.13.1', ['application/vnd.docker.distribution.manifest.v2+json']],
    ['oci-zstd', 'schema2', 'docker/1.13.1', ['application/vnd.docker.distribution.manifest.v2+json']],
    ['oci-zstd', 'schema1', 'docker/1.9.1', []],
    ['index', 'schema1', 'docker/1.9.1', []],
  ])(
    '%s as %s has the digest that a proxy gives, with plain tars',
    async (sample, form, userAgent, accept) => {
      const { registry, copy } = await targetRegistry();
      const { digest } = await copy(sample, '--as', form, '--decompress');
      const types = accept.map((type): [string, string] => ['Accept', type]);
      const answer = await testApp().get(`/v2/sample/${sample}/manifests/latest`, [
        ['User-Agent', `${userAgent} os/linux arch/amd64`],
        ...types,
      ]);
      if (form === 'schema2') expect(answer.header('Docker-Content-Digest')).toBe(digest);
      // The name and the tag in schema 1 are those of the target.
      else {
        const body = registry.manifests.get(`copied/${sample}:1.0`);
        expect(JSON.parse(new TextDecoder().decode(body))).toMatchObject({
          name: `copied/${sample}`,
          tag: '1.0',
        });
      }
    },
  );

  it('compresses zstd layers with gzip, and names them so', async () => {
    const { registry, copy } = await targetRegistry();
    await copy('oci-zstd', '--as', 'schema2');
    const model = readManifest(registry.manifests.get('copied/oci-zstd:1.0') ?? new Uint8Array());
    if (model.kind === 'index') throw new Error('not an image');
    for (const { digest, size, mediaType } of model.dependencies) {
      const blob = registry.blobs.get(digest);
      expect(mediaType).toBe('application/vnd.docker.image.rootfs.diff.tar.gzip');
      expect(blob?.length).toBe(size);
      expect([...(blob ?? []).slice(0, 2)]).toEqual([0x1f, 0x8b]);
    }
  });

  it('sends nothing twice: not after a copy, and not after one that failed', async () => {
    const { registry, copy } = await targetRegistry();
    const first = await copy('oci');
    const before = registry.requests.length;
    const again = await copy('oci');
    expect(again).toMatchObject({ digest: first.digest, sent: 0 });
    expect(registry.requests).toHaveLength(before);
    const failing = await targetRegistry({ bodies: [{}, { status: 400 }] });
    const argv = ['copy', `${samples.host}/sample/oci`, `${failing.registry.host}/copied/oci:1.0`];
    const { code, err } = await regshift(argv);
    expect({ code, err }).toEqual({
      code: 1,
      err: expect.stringMatching(/The registry answered 400 for the upload of sha256:/),
    });
    expect(failing.registry.open.size).toBe(0);
    const kept = failing.registry.blobs.size;
    expect(kept).toBeGreaterThan(0);
    const { blobs } = await failing.copy('oci');
    expect(blobs.filter(({ transfer }) => transfer === 'present')).toHaveLength(kept);
    expect(blobs.filter(({ transfer }) => transfer === 'uploaded')).toHaveLength(3 - kept);
  });

  test.each([
    ['mounts blobs', undefined, 'mounted', 0],
    ['uploads blobs where the registry does not mount', 202, 'uploaded', 3],
    ['uploads blobs where the registry refuses the mount', 403, 'uploaded', 3],
  ])('%s within one registry', async (_, mountStatus, transfer, uploads) => {
    const { registry, copy } = await targetRegistry(mountStatus === undefined ? {} : { mountStatus });
    await copy('oci');
    const before = registry.requests.length;
    const argv = ['copy', `${registry.host}/copied/oci:1.0`, `${registry.host}/copied/other:1.0`, '--json'];
    const { json } = await regshift(argv);
    expect(json<Copied>().blobs.map((blob) => blob.transfer)).toEqual([transfer, transfer, transfer]);
    const since = registry.requests.slice(before);
    expect(since.filter((request) => request === 'POST mount from copied/oci')).toHaveLength(3);
    expect(since.filter((request) => request === 'PUT upload')).toHaveLength(uploads);
    expect(registry.open.size).toBe(0);
  });

  it('signs schema 1 with the key of the proxy', async () => {
    const { registry } = await targetRegistry();
    const env = { REGSHIFT_SIGNING_KEY: JSON.stringify(testSigningKey) };
    const argv = ['copy', `${samples.host}/sample/oci`, `${registry.host}/copied/oci:1.0`, '--as', 'schema1'];
    expect((await regshift(argv, { env })).code).toBe(0);
    const manifest = new TextDecoder().decode(registry.manifests.get('copied/oci:1.0'));
    expect(JSON.parse(manifest)).toMatchObject({
      signatures: [{ header: { jwk: { x: testSigningKey.x } } }],
    });
  });

  it('logs in to both registries as docker login has', async () => {
    const registry = await startLoginRegistry('Bearer');
    onTestFinished(() => registry.stop());
    const { host: target } = new URL(registry.url);
    const folder = temporaryFolder();
    const auths = { [target]: { auth: btoa('alice:right') } };
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ auths }));
    const argv = ['copy', `${samples.host}/sample/oci`, `${target}/copied/oci:1.0`];
    const { code, err } = await regshift(argv, { env: { DOCKER_CONFIG: folder } });
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(registry.given.length).toBeGreaterThan(0);
    expect((await regshift(argv)).code).toBe(1);
  });

  it('sends no login of the source to the target', async () => {
    const strict = await startStrictRegistry('alice:wonderland', createSampleRegistry().fetch);
    onTestFinished(() => strict.stop());
    const { registry } = await targetRegistry();
    const folder = temporaryFolder();
    const auths = { [strict.host]: { auth: btoa('alice:wonderland') } };
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ auths }));
    const argv = ['copy', `${strict.host}/sample/oci`, `${registry.host}/copied/oci:1.0`];
    expect((await regshift(argv, { env: { DOCKER_CONFIG: folder } })).code).toBe(0);
    expect(strict.authorizations.filter((each) => each !== '').length).toBeGreaterThan(0);
    expect([...registry.authorizations]).toEqual([]);
  });

  it('shows its progress on a terminal, and is quiet elsewhere', async () => {
    const { registry } = await targetRegistry();
    const argv = ['copy', `${samples.host}/sample/oci`, `${registry.host}/copied/oci:1.0`];
    const { err, out } = await regshift(argv, { terminal: true });
    expect(err).toMatch(/^\rread 0 B +\rcopied 0 B of [\d.]+ kB +\r/);
    expect(err).toMatch(/\r {79}\r$/);
    expect(out).toMatch(
      /:1\.0 is oci, sha256:\w{64}\n {2}manifests {2}1 uploaded\n {2}blobs {6}3 uploaded\n {2}sent/,
    );
  });

  it('prints a whole digest on a terminal with --full', async () => {
    const { registry } = await targetRegistry();
    const argv = ['copy', `${samples.host}/sample/oci`, `${registry.host}/copied/oci:1.0`];
    expect((await regshift(argv, { columns: 200 })).out).toMatch(/is oci, sha256:\w{12}…\n/);
    expect((await regshift([...argv, '--full'], { columns: 200 })).out).toMatch(/is oci, sha256:\w{64}\n/);
  });

  it('leaves no temporary files', async () => {
    const own = ownTmpdir();
    const { copy } = await targetRegistry();
    await copy('oci-zstd', '--as', 'schema2');
    expect(await readdir(own)).toEqual([]);
  });

  test.each<[argv: readonly string[], code: number, why: RegExp]>([
    [['x', 'y@sha256:1'], 2, /has no valid digest/],
    [['x', `y@sha256:${'0'.repeat(64)}`], 2, /Give the target a tag in place of a digest/],
    [['x', 'y', '--all', '--platform', 'linux/arm64'], 2, /Use either --platform/],
    [['x', 'y', '--as', 'generic'], 2, /Allowed choices are schema1, schema2, oci/],
    [['x', 'y', '--drop', 'layers'], 2, /Allowed choices are attestations/],
    [['x', 'y', '--drop', 'attestations'], 2, /--drop .* needs --all/],
    [['x', 'y', '--ca', '/nope'], 2, /--ca \/nope: it must be .*ENOENT/],
  ])('%j: exit code %i', async (argv, code, why) => {
    const ran = await regshift(['copy', ...argv]);
    expect({ code: ran.code, out: ran.out }).toEqual({ code, out: '' });
    expect(ran.err).toMatch(why);
  });

  it.each([
    ['index', ['--all', '--as', 'schema1'], /Schema 1 holds the image of one platform/],
    ['helm-chart', ['--as', 'schema2'], /not a container image/],
    ['index', ['--platform', 'linux/s390x'], /There is no image for linux\/s390x/],
    ['oci', ['--platform', 'linux/arm64'], /The image is for linux\/amd64, and not for linux\/arm64/],
    ['schema1', ['--platform', 'linux/arm64'], /The image is for linux\/amd64, and not for linux\/arm64/],
  ])('%s %j: says why, and writes nothing', async (sample, argv, why) => {
    const { registry } = await targetRegistry();
    const to = `${registry.host}/copied/x:1.0`;
    const { code, err } = await regshift(['copy', `${samples.host}/sample/${sample}`, to, ...argv]);
    expect({ code, err }).toEqual({ code: 1, err: expect.stringMatching(why) });
    expect(registry.requests).toEqual([]);
  });
});

it.each([
  'application/vnd.cncf.oras.artifact.manifest.v1+json',
  'application/vnd.oci.artifact.manifest.v1+json',
])('copies an artifact of the type %s with its blobs', async (mediaType) => {
  const content = new TextEncoder().encode('a signature');
  const digest = digestOf(content);
  const blobs = [{ mediaType: 'application/jose+json', digest, size: content.length }];
  const manifest = JSON.stringify({ mediaType, artifactType: 'application/vnd.example.signature', blobs });
  const source = await startStrictRegistry('a:b', async (url) => {
    if (url.endsWith(`/blobs/${digest}`)) return new Response(content);
    return new Response(manifest, { headers: { 'Content-Type': mediaType } });
  });
  onTestFinished(() => source.stop());
  const { registry } = await targetRegistry();
  const argv = [`${source.host}/app:sig`, `${registry.host}/copied/app:sig`, '--creds', 'a:b'];
  expect(await regshift(['copy', ...argv])).toMatchObject({ code: 0, err: '' });
  expect([...registry.blobs.keys()]).toEqual([digest]);
  expect(new TextDecoder().decode(registry.manifests.get('copied/app:sig'))).toBe(manifest);
});

test('a repository that the target does not create: the error says so', async () => {
  // As ECR answers.
  const server = createServer(async (request, response) => {
    for await (const _ of request);
    response.writeHead(404, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ errors: [{ code: 'NAME_UNKNOWN', message: 'no such repository' }] }));
  });
  const { host, stop } = await listen(server);
  onTestFinished(() => stop());
  const { err } = await regshift(['copy', `${samples.host}/sample/oci`, `${host}/copied:1`]);
  expect(err).toContain('to a repository that was created before.');
});

describe('a form that the target refuses', () => {
  /** A registry that has every blob, and answers each push of a manifest so. */
  async function refusingTarget(status: number, code: string | undefined) {
    const server = createServer(async (request, response) => {
      for await (const _ of request);
      const isPush = request.method === 'PUT';
      response.writeHead(isPush ? status : request.url?.includes('/blobs/') ? 200 : 404, {
        'content-type': 'application/json',
      });
      response.end(isPush && code ? JSON.stringify({ errors: [{ code, message: 'no' }] }) : '');
    });
    const { host, stop } = await listen(server);
    onTestFinished(() => stop());
    return async (sample: string, ...argv: string[]) =>
      (await regshift(['copy', `${samples.host}/sample/${sample}`, `${host}/copied:1`, ...argv])).err;
  }

  it.each([
    // As docker-registry 2.8 answers.
    ['schema1', 500, 'UNKNOWN', '', 'schema 1. Use --as schema2 or --as oci.'],
    ['oci', 500, 'UNKNOWN', '--as schema1', 'schema 1. Use --as schema2 or --as oci.'],
    ['generic', 400, 'MANIFEST_INVALID', '', 'generic manifests. Use --as schema2 or --as oci.'],
    ['oci', 400, 'MANIFEST_INVALID', '', 'OCI manifests. Use --as schema2.'],
    ['index', 415, undefined, '--all', 'OCI manifests. Use --as schema2.'],
    ['oci', 405, 'UNSUPPORTED', '', 'OCI manifests. Use --as schema2.'],
    ['generic', 400, undefined, '', 'generic manifests. Use --as schema2 or --as oci.'],
  ])('%s: %d %s %s', async (sample, status, code, argv, advice) => {
    const copy = await refusingTarget(status, code);
    const err = await copy(sample, ...argv.split(' ').filter((word) => word !== ''));
    expect(err).toContain(`The registry answered ${status} for the manifest `);
    expect(err).toContain(`The target does not take ${advice}`);
  });

  it.each([
    ['schema1', 500, 'INTERNAL'],
    ['schema1', 503, 'UNKNOWN'],
    ['oci', 500, 'UNKNOWN'],
    ['schema1', 400, 'MANIFEST_BLOB_UNKNOWN'],
    ['schema2', 400, 'MANIFEST_INVALID'],
    ['helm-chart', 400, 'MANIFEST_INVALID'],
  ])('is not the reason here: %s %d %s', async (sample, status, code) => {
    const copy = await refusingTarget(status, code);
    const err = await copy(sample);
    expect(err).toContain(`${status} for the manifest`);
    expect(err).not.toContain('--as');
  });
});

it.each(['', '--as schema2', '--as schema2 --decompress', '--as schema1'])(
  'says what to do about a layer that the registry has lost (%s)',
  async (argv) => {
    const built = builtRepository('team/lost');
    const serve = built.serve(addImage(built));
    const lost = [...built.blobs.keys()].at(-1);
    const source = await startStrictRegistry('a:b', async (url, init) => {
      if (url.endsWith(`/${lost}`)) return specError(404, 'BLOB_UNKNOWN');
      return (await serve(new Request(url, init), new URL(url))) ?? new Response(null);
    });
    onTestFinished(() => source.stop());
    const { registry } = await targetRegistry();
    const names = [`${source.host}/team/lost`, `${registry.host}/copied/lost:1.0`];
    const { code, err } = await regshift([
      'copy',
      ...names,
      '--creds',
      'a:b',
      ...argv.split(' ').filter(Boolean),
    ]);
    expect(code).toBe(1);
    expect(err).toContain(`${lost} of team/lost: BLOB_UNKNOWN`);
    expect(err).toContain('The registry has lost a part of the image. Push the image again.');
  },
);

describe('a refused login', () => {
  const loginRegistry = async () => {
    const registry = await startLoginRegistry('Basic');
    onTestFinished(() => registry.stop());
    return new URL(registry.url).host;
  };

  it('names the option of its side', async () => {
    const host = await loginRegistry();
    const atTarget = await regshift(['copy', `${samples.host}/sample/oci`, `${host}/copied/oci:1`]);
    expect(atTarget.code).toBe(1);
    expect(atTarget.err).toContain('Log in with docker login, or give the login by --to-creds.');
    const atSource = await regshift(['copy', `${host}/sample/oci`, `${samples.host}/copied/oci:1`]);
    expect(atSource.err).toContain('Log in with docker login, or give the login by --creds.');
    const within = ['copy', `${host}/sample/oci`, `${host}/copied/oci:1`, '--creds', 'me:right'];
    expect((await regshift(within)).err).toContain('--to-creds.');
    expect((await regshift([...within, '--to-creds', 'you:wrong'])).err).toContain(
      'The registry refused the login that --to-creds gave for the user "you".',
    );
    expect((await regshift([...within, '--to-creds', 'me:right'])).code).toBe(0);
  });

  it('names that of the source if the source refuses a layer while the target takes it', async () => {
    const registry = createSampleRegistry();
    const server = createServer(async ({ method = 'GET', url = '/' }, response) => {
      const answer = await registry.fetch(`http://sample.test${url}`, { method });
      const refuses = method === 'GET' && url.includes('/blobs/');
      response.writeHead(refuses ? 401 : answer.status, Object.fromEntries(answer.headers));
      response.end(refuses ? '' : new Uint8Array(await answer.arrayBuffer()));
    });
    const { host, stop } = await listen(server);
    onTestFinished(() => stop());
    const { registry: target } = await targetRegistry();
    const { code, err } = await regshift(['copy', `${host}/sample/oci`, `${target.host}/copied/oci:1`]);
    expect(code).toBe(1);
    expect(err).toContain('give the login by --creds.');
  });

  test.each(['--creds', '--to-creds'])(
    'a login without a colon is that of its option: %s',
    async (option) => {
      const { code, err } = await regshift([
        'copy',
        `${samples.host}/sample/oci`,
        'host.test/a:1',
        option,
        'x',
      ]);
      expect(code).toBe(2);
      expect(err).toBe(
        `regshift: ${option} must be a user and a password with a colon between them: user:password.\n`,
      );
    },
  );
});
