import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, test } from 'vitest';
import { digestOf } from '../../../../converters/digest.ts';
import { mediaTypes } from '../../../../converters/media-types.ts';
import { readManifest } from '../../../../converters/read.ts';
import { createSampleRegistry } from '../../../../src/sample-registry/registry.ts';
import { addImage, type BuiltDescriptor, builtRepository } from '../../../support/built-repository.ts';
import { regshift, temporaryFolder } from '../../../support/cli.ts';
import { writeSampleLayout } from '../../../support/sample-layout.ts';
import { specError } from '../../../support/scripted-upstream.ts';
import { startStrictRegistry } from '../../../support/strict-registry.ts';
import { useSampleServer } from '../../../support/use-sample-server.ts';

interface Verified {
  readonly digest: string;
  readonly valid: boolean;
  readonly form: string;
  readonly checks: readonly {
    readonly digest: string;
    readonly what: string;
    readonly ok?: boolean;
    readonly detail: string;
  }[];
}

const { ociForeignGzip, ociLayerGzip } = mediaTypes;

const signatures = join(import.meta.dirname, '../../../golden/signatures');

async function verified(...argv: string[]): Promise<Verified & { readonly code: number }> {
  const { code, json } = await regshift(['verify', ...argv, '--json']);
  return { ...json<Verified>(), code };
}

function words({ checks }: Verified): string[] {
  return checks.map(({ what, ok }) => `${what}: ${ok === undefined ? 'not checked' : ok}`);
}

describe('signatures of schema 1 in a file', () => {
  test.each(readdirSync(signatures))('%s', async (file) => {
    const { code, valid, form, checks } = await verified(join(signatures, file));
    expect({ code, valid, form }).toEqual({ code: 0, valid: true, form: 'schema1' });
    const signed = checks.filter(({ what }) => what === 'signature');
    expect(signed.map(({ ok }) => ok)).toEqual(
      { 'unsigned.json': [undefined], 'several.json': [true, true, true] }[file] ?? [true],
    );
    expect(checks.at(-1)).toMatchObject({ what: 'ids', ok: true });
  });

  it('with one invalid signature: the others are checked too', async () => {
    const file = join(temporaryFolder(), 'forged.json');
    const text = readFileSync(join(signatures, 'several.json'), 'utf8');
    const { signatures: blocks } = JSON.parse(text) as { signatures: { signature: string }[] };
    const second = blocks[1]?.signature ?? '';
    const forged = second.startsWith('A') ? `B${second.slice(1)}` : `A${second.slice(1)}`;
    writeFileSync(file, text.replace(second, forged));
    const { code, valid, checks } = await verified(file);
    expect({ code, valid }).toEqual({ code: 1, valid: false });
    expect(checks.filter(({ what }) => what === 'signature').map(({ ok }) => ok)).toEqual([
      true,
      false,
      true,
    ]);
  });

  it('of another payload: every signature is wrong', async () => {
    const file = join(temporaryFolder(), 'forged.json');
    const text = readFileSync(join(signatures, 'ES256.json'), 'utf8');
    writeFileSync(
      file,
      text.replace(/"tag": "(.)/, (_, first) => `"tag": "${first === 'x' ? 'y' : 'x'}`),
    );
    const { code, out } = await regshift(['verify', file]);
    expect(code).toBe(1);
    expect(out).toMatch(
      /^ {2}WRONG +signature .*the key [A-Z2-7:]{59}: A signature of the schema 1 manifest does not hold/m,
    );
    expect(out).toMatch(/^ {2}good +ids /m);
  });
});

describe('files of other forms', () => {
  it.each(['oci', 'oci-zstd', 'schema2', 'index', 'list', 'generic', 'fat-generic'])(
    '%s is good',
    async (sample) => {
      const file = await writeSampleLayout(temporaryFolder(), sample);
      const { code, checks } = await verified(file, '--layers');
      expect(code).toBe(0);
      expect(checks.filter(({ what }) => what === 'layer').length).toBeGreaterThanOrEqual(2);
      expect(checks.filter(({ ok }) => ok !== true)).toEqual([]);
    },
  );

  it('without their content: it is reported as not checked', async () => {
    const folder = temporaryFolder();
    const file = await writeSampleLayout(folder, 'oci', false);
    const without = await verified(file, '--from', temporaryFolder(), '--layers');
    expect(without.code).toBe(0);
    const strictly = await regshift(['verify', file, '--from', temporaryFolder(), '--layers', '--strict']);
    expect(strictly.code).toBe(1);
    expect(strictly.out).toMatch(/^ {2}not checked +config /m);
    expect((await regshift(['verify', file, '--strict'])).code).toBe(0);
    expect(words(without)).toEqual([
      'manifest: true',
      'config: not checked',
      'layer: not checked',
      'layer: not checked',
    ]);
  });

  it.each([
    ['config', ['config: false']],
    ['layer', ['layer: false']],
  ] as const)('finds a %s that does not match its digest', async (which, wrong) => {
    const folder = temporaryFolder();
    const file = await writeSampleLayout(folder, 'schema2');
    const model = readManifest(new Uint8Array(readFileSync(file)));
    const config =
      model.kind === 'image' && model.target.kind === 'config' ? model.target.descriptor : undefined;
    const digest = (which === 'config' ? config : model.dependencies[0])?.digest ?? '';
    writeFileSync(join(folder, 'blobs', digest.replace(':', '/')), '{}');
    const report = await verified(file, '--layers');
    expect(report).toMatchObject({ code: 1, valid: false });
    expect(words(report).filter((word) => word.endsWith('false'))).toEqual(wrong);
    expect(report.checks.find(({ ok }) => ok === false)?.digest).toBe(digest);
  });

  it('finds a manifest whose file name is another digest', async () => {
    const file = await writeSampleLayout(temporaryFolder(), 'schema2');
    const misnamed = join(temporaryFolder(), 'a'.repeat(64));
    writeFileSync(misnamed, readFileSync(file));
    const report = await verified(misnamed);
    expect(report.code).toBe(1);
    expect(words(report)[0]).toBe('manifest: false');
  });

  it('finds a config with another number of layers', async () => {
    const folder = temporaryFolder();
    const file = await writeSampleLayout(folder, 'oci');
    const manifest = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify({ ...manifest, layers: manifest.layers.slice(1) }));
    const report = await verified(file);
    expect(report.code).toBe(1);
    expect(words(report)).toEqual(['manifest: true', 'config: true', 'diff_ids: false', 'history: false']);
  });

  /** Makes a folder the current one during a test. */
  function enter(folder: string): void {
    const before = process.cwd();
    onTestFinished(() => process.chdir(before));
    process.chdir(folder);
  }

  it('in a folder that has the name of a repository of Docker Hub: the files are checked', async () => {
    const parent = temporaryFolder();
    await writeSampleLayout(join(parent, 'app'), 'oci');
    writeFileSync(join(parent, 'app/version'), 'Directory Transport Version: 1.1\n');
    enter(parent);
    const report = await verified('app');
    expect(words(report)).toEqual(['manifest: true', 'config: true', 'diff_ids: true', 'history: true']);
  });

  it.each(['converted', 'converted/'])('in the folder that convert wrote schema 1 to: %s', async (folder) => {
    const parent = temporaryFolder();
    await writeSampleLayout(join(parent, 'app'), 'oci');
    enter(parent);
    await regshift(['convert', 'app', '--to', 'schema1', '--name', 'a/b', '--out', 'converted/']);
    const report = await verified(folder);
    expect(words(report)).toEqual(['manifest: true', 'signature: true', 'ids: true']);
  });

  it('takes a name with a slash at its end for a folder, which no image has', async () => {
    enter(temporaryFolder());
    const { code, err } = await regshift(['verify', 'app/']);
    expect({ code, err }).toEqual({ code: 1, err: 'regshift: app/: no such file or folder\n' });
  });

  it('with invalid JSON: the error names line and column', async () => {
    const file = join(temporaryFolder(), 'broken.json');
    writeFileSync(file, '{"schemaVersion": 2,}');
    const { code, out } = await regshift(['verify', file]);
    expect(code).toBe(1);
    expect(out).toMatch(/WRONG +manifest .*line 1, column 21/);
  });
});

describe('images in a registry', () => {
  const samples = useSampleServer();

  it.each(['schema1', 'schema1-unsigned', 'oci-zstd', 'index', 'fat-generic-table', 'helm-chart'])(
    '%s',
    async (sample) => {
      const report = await verified(`${samples.host}/sample/${sample}`, '--layers');
      expect(report).toMatchObject({ code: 0, valid: true });
      expect(words(report)).toEqual(
        {
          schema1: ['manifest: true', 'signature: true', 'ids: true', ...Array(3).fill('layer: true')],
          'schema1-unsigned': [
            'manifest: true',
            'signature: not checked',
            'ids: true',
            ...Array(3).fill('layer: true'),
          ],
          'oci-zstd': ['manifest: true', ...image],
          index: [
            'manifest: true',
            'manifest: true',
            ...image,
            'manifest: true',
            ...image,
            ...Array(2).fill('manifest: true'),
          ],
          'fat-generic-table': ['manifest: true', 'manifest: true', ...image, 'manifest: true', ...image],
          'helm-chart': ['manifest: true'],
        }[sample],
      );
    },
  );
});

describe('a document that is no image', () => {
  const samples = useSampleServer();

  it.each([
    ['index', 'config and layers not checked, because it is an attestation', 2],
    ['helm-chart', 'config and layers not checked, because it is no container image', 1],
  ])('%s: says what is not checked, and does not fail', async (sample, text, count) => {
    const { code, out } = await regshift(['verify', `${samples.host}/sample/${sample}`, '--strict']);
    expect(code).toBe(0);
    expect(out.split('\n').filter((line) => line.endsWith(`matches its digest; ${text}`))).toHaveLength(
      count,
    );
    expect(out).not.toMatch(/cannot|Found|Expected/);
  });
});

it('finds that a registry sends other bytes than its digest says', async () => {
  const samples = createSampleRegistry();
  const lying = await startStrictRegistry('a:b', async (url, init) => {
    const answer = await samples.fetch(url, init);
    if (!url.includes('/manifests/') || init?.method !== 'GET') return answer;
    const text = (await answer.text()).replace(/sha256:./, (found) =>
      found.endsWith('0') ? 'sha256:1' : 'sha256:0',
    );
    return new Response(text, { headers: answer.headers });
  });
  const folder = temporaryFolder();
  writeFileSync(
    join(folder, 'config.json'),
    JSON.stringify({ auths: { [lying.host]: { auth: btoa('a:b') } } }),
  );
  try {
    const argv = ['verify', `${lying.host}/sample/oci`];
    const { code, out } = await regshift(argv, { env: { DOCKER_CONFIG: folder } });
    expect(code).toBe(1);
    expect(out).toMatch(/^ {2}WRONG +manifest .*is not what its digest says/m);
  } finally {
    await lying.stop();
  }
});

describe('an image of which the registry has lost', () => {
  const wrong = { code: 1, valid: false, ok: false };
  const allowed = { code: 0, valid: true, ok: undefined };

  test.each([
    ['the config', ociLayerGzip, 'config', wrong],
    ['a layer', ociLayerGzip, 'layer', wrong],
    ['a foreign layer, which registries do not store', ociForeignGzip, 'layer', allowed],
  ])('%s', async (_, layerType, kind, expected) => {
    const built = builtRepository('team/lost');
    const root = addImage(built, { layerType });
    const [config, layer] = [...built.blobs.keys()];
    const lost = kind === 'config' ? config : layer;
    const serve = built.serve(root);
    const registry = await startStrictRegistry('a:b', async (url, init) => {
      if (url.endsWith(`/${lost}`)) return specError(404, 'BLOB_UNKNOWN');
      return (await serve(new Request(url, init), new URL(url))) ?? new Response(null);
    });
    onTestFinished(() => registry.stop());
    const report = await verified(`${registry.host}/team/lost`, '--layers', '--creds', 'a:b');
    const { ok, what, detail } = report.checks.find(({ digest }) => digest === lost) ?? {};
    expect({ code: report.code, valid: report.valid, ok }).toEqual(expected);
    expect(what).toBe(kind);
    expect(detail).toMatch(/^The registry answered 404 for/);
    expect(detail?.includes('Push the image again.')).toBe(expected === wrong);
  });
});

describe('a manifest that the registry names by SHA-512', () => {
  const built = builtRepository('team/long');
  const bySha512 = ({ digest, mediaType }: BuiltDescriptor) => {
    const bytes = built.manifests.get(digest)?.bytes ?? new Uint8Array();
    return built.manifest(mediaType, bytes, digestOf(bytes, 'sha512'));
  };
  const chart = addImage(built, { configType: 'application/vnd.cncf.helm.config.v1+json' });

  test.each([
    ['an image', bySha512(addImage(built))],
    ['a chart', bySha512(chart)],
  ])('%s: matches that digest', async (_, root) => {
    const serve = built.serve(root);
    const registry = await startStrictRegistry('a:b', async (url, init) => {
      return (await serve(new Request(url, init), new URL(url))) ?? new Response(null);
    });
    onTestFinished(() => registry.stop());
    for (const reference of [':latest', `@${root.digest}`]) {
      const report = await verified(`${registry.host}/team/long${reference}`, '--creds', 'a:b');
      expect(report).toMatchObject({ code: 0, valid: true, digest: root.digest });
      expect(report.checks[0]).toMatchObject({ what: 'manifest', ok: true, digest: root.digest });
    }
  });
});

const image = ['config: true', 'diff_ids: true', 'history: true', 'layer: true', 'layer: true'];

it('follows no index that names more manifests in its inner indexes than clients follow', async () => {
  const folder = temporaryFolder();
  const put = (value: object) => {
    const bytes = new TextEncoder().encode(JSON.stringify(value));
    const digest = digestOf(bytes);
    writeFileSync(join(folder, digest.slice('sha256:'.length)), bytes);
    return { digest, size: bytes.length };
  };
  const config = put({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] } });
  const image = { schemaVersion: 2, config: { mediaType: mediaTypes.ociConfig, ...config }, layers: [] };
  let entry = { mediaType: mediaTypes.ociManifest as string, ...put(image) };
  for (let level = 0; level < 3; level += 1) {
    const index = { schemaVersion: 2, manifests: Array.from({ length: 11 }, () => entry) };
    entry = { mediaType: mediaTypes.ociIndex, ...put(index) };
  }
  const { code, checks } = await verified(join(folder, entry.digest.slice('sha256:'.length)));
  expect(code).toBe(1);
  expect(checks).toEqual([
    {
      digest: entry.digest,
      what: 'manifest',
      ok: false,
      detail: expect.stringMatching(/^The index is too large or too deep to be followed/),
    },
  ]);
});

it('does not take the blobs of a build cache for manifests', async () => {
  const entry = (mediaType: string, text: string) => {
    const bytes = new TextEncoder().encode(text);
    return { mediaType, digest: digestOf(bytes), size: bytes.length };
  };
  const manifests = [
    entry(mediaTypes.ociLayerGzip, 'layer'),
    entry('application/vnd.buildkit.cacheconfig.v0', '{}'),
  ];
  const index = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests });
  const registry = await startStrictRegistry('a:b', async (url) => {
    if (!url.endsWith('/manifests/cache')) return new Response(null, { status: 500 });
    return new Response(index, { headers: { 'Content-Type': mediaTypes.ociIndex } });
  });
  onTestFinished(() => registry.stop());
  const found = await verified(`${registry.host}/team/app:cache`, '--creds', 'a:b');
  expect(words(found)).toEqual(['manifest: true', 'blob: not checked', 'blob: not checked']);
});

it.each([
  'application/vnd.cncf.oras.artifact.manifest.v1+json',
  'application/vnd.oci.artifact.manifest.v1+json',
])('takes an artifact of the type %s for no image, alone and in an index', async (mediaType) => {
  const artifact = JSON.stringify({ mediaType, artifactType: 'application/vnd.example', blobs: [] });
  const bytes = new TextEncoder().encode(artifact);
  const manifests = [{ mediaType, digest: digestOf(bytes), size: bytes.length }];
  const index = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests });
  const registry = await startStrictRegistry('a:b', async (url) =>
    url.endsWith('/manifests/index')
      ? new Response(index, { headers: { 'Content-Type': mediaTypes.ociIndex } })
      : new Response(artifact, { headers: { 'Content-Type': mediaType } }),
  );
  onTestFinished(() => registry.stop());
  const alone = await verified(`${registry.host}/team/app:artifact`, '--creds', 'a:b');
  expect([words(alone), alone.form]).toEqual([['manifest: true'], mediaType]);
  const listed = await verified(`${registry.host}/team/app:index`, '--creds', 'a:b');
  expect(words(listed)).toEqual(['manifest: true', 'manifest: true']);
});
