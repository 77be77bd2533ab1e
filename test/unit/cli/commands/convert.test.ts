import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, test } from 'vitest';
import { readSigningKey } from '../../../../converters/crypto/signing-key.ts';
import { digestOf } from '../../../../converters/digest.ts';
import { mediaTypes } from '../../../../converters/media-types.ts';
import { readManifest } from '../../../../converters/read.ts';
import { regshift, temporaryFolder } from '../../../support/cli.ts';
import { writeSampleLayout } from '../../../support/sample-layout.ts';
import { testSigningKey } from '../../../support/signing-key.ts';

const golden = join(import.meta.dirname, '../../../golden/schema1/one-layer');
const bytesOf = (path: string) => new Uint8Array(readFileSync(path));

describe('regshift convert, to standard output', () => {
  it('writes schema 1 with the payload of docker-registry 2.8.2', async () => {
    const folder = temporaryFolder();
    const key = join(folder, 'key.json');
    writeFileSync(key, JSON.stringify(testSigningKey));
    const payload = bytesOf(join(golden, 'schema1.payload.json'));
    const { name, tag } = JSON.parse(new TextDecoder().decode(payload)) as { name: string; tag: string };
    const options = ['--to', 'schema1', '--name', name, '--tag', tag, '--key', key];
    const { code, bytes, err } = await regshift(['convert', join(golden, 'manifest.json'), ...options]);
    expect(code).toBe(0);
    const { source } = readManifest(bytes);
    expect(source.digest).toBe(digestOf(payload));
    expect(new TextDecoder().decode(bytes)).toContain(
      (await readSigningKey(JSON.stringify(testSigningKey))).id,
    );
    expect(err).toContain(`${digestOf(payload)}  ${mediaTypes.schema1Signed}`);
  });

  it('says that it made a key, and that schema 1 needs a name', async () => {
    const manifest = join(golden, 'manifest.json');
    const without = await regshift(['convert', manifest, '--to', 'schema1', '--name', 'a/b']);
    expect(without).toMatchObject({
      code: 0,
      err: expect.stringContaining('Signed with a new key'),
    });
    const nameless = await regshift(['convert', manifest, '--to', 'schema1']);
    expect(nameless).toMatchObject({ code: 2, out: '', err: expect.stringContaining('--name') });
  });

  it('reads the config from --config', async () => {
    const folder = temporaryFolder();
    const manifest = join(folder, 'm.json');
    writeFileSync(manifest, bytesOf(join(golden, 'manifest.json')));
    const alone = await regshift(['convert', manifest, '--to', 'v1']);
    expect(alone).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/sha256:\w+ is needed, but is not in/),
    });
    const config = ['--config', join(golden, 'config.json')];
    const { code, json } = await regshift(['convert', manifest, '--to', 'v1', ...config]);
    expect(code).toBe(0);
    expect(json<{ id: string }[]>()[0]?.id).toMatch(/^[0-9a-f]{64}$/);
  });

  it('prints losses', async () => {
    const manifest = await writeSampleLayout(temporaryFolder(), 'generic-993');
    const { code, bytes, err } = await regshift(['convert', manifest, '--to', 'oci']);
    expect(code).toBe(0);
    expect(err).toContain(`${digestOf(bytes)}  ${mediaTypes.ociManifest}  ${bytes.length} bytes\n`);
    expect(err).toMatch(/^lost: Part \d is no layer/m);
  });

  it('begins a line for the digest on a terminal, and nowhere else', async () => {
    const convert = ['convert', await writeSampleLayout(temporaryFolder(), 'oci'), '--to', 'schema2'];
    const piped = await regshift(convert, { terminal: true });
    expect(piped.err).toMatch(/^sha256:/);
    const shown = await regshift(convert, { terminal: true, columns: 80 });
    expect(shown).toMatchObject({ out: piped.out, err: `\n${piped.err}` });
  });

  it('refuses to write only the manifest if the conversion made other content', async () => {
    const manifest = await writeSampleLayout(temporaryFolder(), 'oci-zstd');
    const { code, out, err } = await regshift(['convert', manifest, '--to', 'schema2']);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain('Name a folder: --out folder/');
  });

  test.each([
    ['oci', 'list', 1, /This is one image, but --to list is for an index/],
    ['index', 'schema2', 2, /--platform \(linux\/amd64, linux\/arm64\/v8\)/],
    ['helm-chart', 'schema2', 1, /not a container image/],
  ] as const)('%s, to %s: %i', async (sample, to, code, why) => {
    const folder = temporaryFolder();
    const manifest =
      sample === 'helm-chart' ? join(folder, 'm.json') : await writeSampleLayout(folder, sample);
    if (sample === 'helm-chart') {
      writeFileSync(
        manifest,
        JSON.stringify({
          schemaVersion: 2,
          config: { mediaType: 'a/b', digest: digestOf(new Uint8Array()), size: 0 },
          layers: [],
        }),
      );
    }
    const ran = await regshift(['convert', manifest, '--to', to]);
    expect(ran).toMatchObject({ code, out: '', err: expect.stringMatching(why) });
  });
});

describe('regshift convert, to files', () => {
  it('writes the manifest to a file, and prints the result as JSON', async () => {
    const folder = temporaryFolder();
    const manifest = await writeSampleLayout(folder, 'oci');
    const out = join(folder, 'schema2.json');
    const { code, json } = await regshift(['convert', manifest, '--to', 'schema2', '--out', out, '--json']);
    expect(code).toBe(0);
    const digest = digestOf(bytesOf(out));
    expect(json()).toMatchObject({ form: 'schema2', mediaType: mediaTypes.schema2, digest, losses: [], out });
  });

  it.each(['oci-zstd', 'index-zstd'] as const)(
    'writes a complete layout of %s, which verifies',
    async (sample) => {
      const folder = temporaryFolder();
      const manifest = await writeSampleLayout(folder, sample);
      const out = join(folder, 'converted');
      mkdirSync(out);
      const to = sample === 'index-zstd' ? 'list' : 'schema2';
      const { code, out: printed } = await regshift(['convert', manifest, '--to', to, '--out', out]);
      expect(code).toBe(0);
      const { manifests } = JSON.parse(readFileSync(join(out, 'index.json'), 'utf8'));
      expect(manifests).toHaveLength(1);
      expect(printed).toContain(manifests[0].digest);
      const root = join(out, 'blobs', manifests[0].digest.replace(':', '/'));
      const verified = await regshift(['verify', root, '--layers', '--json']);
      const { checks, valid } = verified.json<{
        checks: { what: string; ok?: boolean; detail: string }[];
        valid: boolean;
      }>();
      expect(valid).toBe(true);
      const layers = checks.filter(({ what }) => what === 'layer');
      expect(layers.length).toBeGreaterThan(1);
      // All layers are in the layout, and none is compressed.
      for (const { ok, detail } of layers)
        expect({ ok, detail }).toMatchObject({ ok: true, detail: expect.stringMatching(/, none$/) });
      expect(existsSync(join(out, 'oci-layout'))).toBe(true);
    },
  );

  it('copies no layer whose bytes are not those of its name', async () => {
    const folder = temporaryFolder();
    const manifest = await writeSampleLayout(folder, 'oci');
    const { layers } = JSON.parse(readFileSync(manifest, 'utf8')) as { layers: { digest: string }[] };
    const hex = layers[0]?.digest.slice('sha256:'.length) ?? '';
    const layer = join(folder, 'blobs', 'sha256', hex);
    writeFileSync(layer, 'other bytes');
    const out = temporaryFolder();
    const { code, err } = await regshift(['convert', manifest, '--to', 'schema2', '--out', out]);
    expect([code, err]).toEqual([
      1,
      expect.stringContaining(`${layer} should be sha256:${hex}; found sha256:`),
    ]);
    expect(readdirSync(join(out, 'blobs', 'sha256'))).not.toContain(hex);
  });

  it('adds a manifest to an existing layout once', async () => {
    const folder = temporaryFolder();
    const manifest = await writeSampleLayout(folder, 'oci');
    const out = join(folder, 'layout/');
    for (const to of ['schema2', 'generic', 'schema2']) {
      expect((await regshift(['convert', manifest, '--to', to, '--out', out])).code).toBe(0);
    }
    const { manifests } = JSON.parse(readFileSync(join(out, 'index.json'), 'utf8')) as {
      manifests: { mediaType: string }[];
    };
    expect(manifests.map(({ mediaType }) => mediaType)).toEqual([mediaTypes.generic, mediaTypes.schema2]);
  });

  it('adds a manifest to an empty layout as umoci makes it, whose list is null', async () => {
    const folder = temporaryFolder();
    const manifest = await writeSampleLayout(folder, 'oci');
    const out = temporaryFolder();
    writeFileSync(join(out, 'index.json'), '{"schemaVersion":2,"manifests":null}\n');
    expect(await regshift(['convert', manifest, '--to', 'schema2', '--out', out])).toMatchObject({ code: 0 });
    const { manifests } = JSON.parse(readFileSync(join(out, 'index.json'), 'utf8'));
    expect(manifests).toMatchObject([{ mediaType: mediaTypes.schema2 }]);
  });

  it.each(['{"name":"of another program"}', '{"manifests":[null]}', '{"manifests":{}}', 'null', '{'])(
    'writes nothing to a folder whose index.json is no index of a layout: %s',
    async (index) => {
      const manifest = await writeSampleLayout(temporaryFolder(), 'oci');
      const out = temporaryFolder();
      writeFileSync(join(out, 'index.json'), index);
      const { code, err } = await regshift(['convert', manifest, '--to', 'schema2', '--out', out]);
      expect({ code, err }).toEqual({
        code: 1,
        err: `regshift: ${join(out, 'index.json')} is not the index of an OCI layout. Name another folder: --out folder/\n`,
      });
      expect(readdirSync(out)).toEqual(['index.json']);
    },
  );

  it.each(['oci', 'v1'])('prints the result for --out -: %s', async (to) => {
    const folder = temporaryFolder();
    const before = process.cwd();
    onTestFinished(() => process.chdir(before));
    process.chdir(folder);
    const manifest = await writeSampleLayout(join(folder, 'app'), 'schema2');
    const convert = ['convert', manifest, '--to', to];
    const { code, out } = await regshift([...convert, '--out', '-']);
    expect({ code, out }).toEqual({ code: 0, out: (await regshift(convert)).out });
    expect(readdirSync(folder)).toEqual(['app']);
  });

  it('writes schema 1 beside the blobs: its digest is not that of its bytes', async () => {
    const folder = temporaryFolder();
    const manifest = await writeSampleLayout(folder, 'oci-zstd');
    const out = join(folder, 'schema1/');
    const { code } = await regshift(['convert', manifest, '--to', 'schema1', '--name', 'a/b', '--out', out]);
    expect(code).toBe(0);
    expect(readManifest(bytesOf(join(out, 'manifest.json'))).source.dialect).toBe('schema1');
    expect(await regshift(['verify', join(out, 'manifest.json'), '--layers'])).toMatchObject({ code: 0 });
  });

  it('converts one image of an index, from files with any name', async () => {
    const folder = temporaryFolder();
    const manifest = await writeSampleLayout(folder, 'list', false);
    // Like files that a user saved from a registry.
    const { dependencies } = readManifest(bytesOf(manifest));
    const flat = join(folder, 'flat');
    mkdirSync(flat);
    dependencies.forEach(({ digest }, index) => {
      renameSync(join(folder, 'blobs', digest.replace(':', '/')), join(flat, `child-${index}.json`));
    });
    const { code, bytes } = await regshift([
      'convert',
      manifest,
      '--to',
      'oci',
      '--from',
      flat,
      '--platform',
      'linux/arm64',
    ]);
    expect(code).toBe(0);
    expect(readManifest(bytes).source.mediaType).toBe(mediaTypes.ociManifest);
  });

  it('splits an image into v1 images', async () => {
    const folder = temporaryFolder();
    const manifest = await writeSampleLayout(folder, 'schema2', false);
    const out = join(folder, 'v1');
    const { code, json } = await regshift(['convert', manifest, '--to', 'v1', '--out', out, '--json']);
    expect(code).toBe(0);
    const { images } = json<{ images: string[] }>();
    expect(JSON.parse(readFileSync(join(out, 'ancestry'), 'utf8'))).toEqual(images);
    for (const id of images) {
      expect(JSON.parse(readFileSync(join(out, 'images', id, 'json'), 'utf8')).id).toBe(id);
    }
  });

  it('writes no layer that does not match its config', async () => {
    const folder = temporaryFolder();
    const manifest = await writeSampleLayout(folder, 'oci-zstd');
    const other = await writeSampleLayout(join(folder, 'other'), 'schema2');
    const [wrong] = readManifest(bytesOf(other)).dependencies;
    const [layer] = readManifest(bytesOf(manifest)).dependencies;
    const blob = (digest = '') => join('blobs', digest.replace(':', '/'));
    writeFileSync(join(folder, blob(layer?.digest)), bytesOf(join(folder, 'other', blob(wrong?.digest))));
    const out = join(folder, 'converted/');
    const { code, err } = await regshift(['convert', manifest, '--to', 'schema2', '--out', out]);
    expect(code).toBe(1);
    expect(err).toMatch(/layer sha256:/);
    expect(existsSync(out)).toBe(false);
  });
});

it('names the file that it cannot write, and not the unfinished one', async () => {
  const file = await writeSampleLayout(temporaryFolder(), 'oci-zstd');
  const folders = [temporaryFolder(), temporaryFolder()] as const;
  const convert = (folder: string) => regshift(['convert', file, '--to', 'schema2', '--out', `${folder}/`]);
  expect((await convert(folders[0])).code).toBe(0);
  const blobs = readdirSync(join(folders[0], 'blobs/sha256'));
  // A folder stands in the place of each unfinished file.
  for (const name of blobs) mkdirSync(join(folders[1], 'blobs/sha256', `${name}.part`), { recursive: true });
  const { code, err } = await convert(folders[1]);
  expect(code).toBe(1);
  expect(err).toMatch(
    /^regshift: \S+\/blobs\/sha256\/[0-9a-f]{64}: this is a folder, but a file is needed\n$/,
  );
});
