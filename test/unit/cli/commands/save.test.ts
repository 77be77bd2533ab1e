import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { readdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it, onTestFinished, test, vi } from 'vitest';
import { digestOf } from '../../../../converters/digest.ts';
import { mediaTypes } from '../../../../converters/media-types.ts';
import { createSampleRegistry } from '../../../../src/sample-registry/registry.ts';
import { testApp } from '../../../support/app.ts';
import { useBreakingRegistry } from '../../../support/breaking-registry.ts';
import { ownTmpdir, regshift, temporaryFolder } from '../../../support/cli.ts';
import { listen } from '../../../support/listen.ts';
import { loadV1Archive, readArchive } from '../../../support/load-v1-archive.ts';
import { imageOfLayers } from '../../../support/many-layers.ts';
import { compressedImage } from '../../../support/packed-image.ts';
import { pushImage } from '../../../support/push.ts';
import { startStrictRegistry } from '../../../support/strict-registry.ts';
import { startUploadRegistry } from '../../../support/upload-registry.ts';
import { useSampleServer } from '../../../support/use-sample-server.ts';

const samples = useSampleServer();

const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

async function saved(sample: string, client: string, ...argv: string[]) {
  const file = join(temporaryFolder(), 'image.tar');
  const { code, err, json } = await regshift([
    ...['save', `${samples.host}/sample/${sample}`, '--for', client, '-o', file, '--json'],
    ...argv,
  ]);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const entries = await readArchive(file);
  return {
    file,
    entries,
    names: entries.map(({ name }) => name),
    result: json<{ id: string; form: string; size: number; platform?: string }>(),
  };
}

const samplesOfImages = [
  ...['generic', 'generic-993', 'schema1', 'schema2', 'schema2-empty-layers', 'schema2-plain-tar'],
  ...['list', 'oci', 'oci-no-history', 'oci-zstd', 'index', 'index-zstd', 'fat-generic-table'],
];

describe('an archive for Docker up to 1.9', () => {
  it.each(samplesOfImages)(
    '%s: is loaded by the name of the image, with the ids of API v1',
    async (sample) => {
      const { file, result } = await saved(sample, 'docker-1.9');
      const image = (await loadV1Archive(file)).get(`${samples.host}/sample/${sample}:latest`);
      expect(image?.ids[0]).toBe(result.id);
      const tags = await testApp().get(`/v1/repositories/sample/${sample}/tags`, [
        ['User-Agent', 'docker/1.5.0'],
      ]);
      expect(JSON.parse(await tags.text())).toMatchObject({ latest: result.id });
      for (const layer of image?.layers.values() ?? []) expect(layer.length % 512).toBe(0);
    },
  );
});

describe('an archive for Docker from 1.10 on', () => {
  it.each(samplesOfImages)(
    '%s: names its config and plain layers, which are the diff_ids',
    async (sample) => {
      const { entries, result, names } = await saved(sample, 'docker-1.13');
      const content = new Map(entries.map((entry) => [entry.name, entry.content]));
      const [described] = JSON.parse(text(content.get('manifest.json')));
      expect(described.RepoTags).toEqual([`${samples.host}/sample/${sample}:latest`]);
      expect(names.at(-1)).toBe('manifest.json');
      const config = content.get(described.Config) ?? new Uint8Array();
      expect(digestOf(config)).toBe(result.id);
      const layers = (described.Layers as string[]).map((name) =>
        digestOf(content.get(name) ?? new Uint8Array()),
      );
      expect(JSON.parse(text(config)).rootfs.diff_ids).toEqual(layers);
    },
  );
});

describe('an archive with an OCI layout', () => {
  it.each(samplesOfImages)('%s: has the blobs that its manifest names, by their digests', async (sample) => {
    const { entries, result } = await saved(sample, 'podman');
    const content = new Map(entries.map((entry) => [entry.name, entry.content]));
    expect(JSON.parse(text(content.get('oci-layout')))).toEqual({ imageLayoutVersion: '1.0.0' });
    for (const { name, content: bytes } of entries) {
      const [, hex] = /^blobs\/sha256\/(\w+)$/.exec(name) ?? [];
      if (hex !== undefined) expect(digestOf(bytes)).toBe(`sha256:${hex}`);
    }
    const { manifests } = JSON.parse(text(content.get('index.json')));
    expect(manifests).toHaveLength(1);
    expect(manifests[0].annotations['org.opencontainers.image.ref.name']).toBe('latest');
    const blob = (digest: string) => content.get(`blobs/${digest.replace(':', '/')}`);
    const manifest = JSON.parse(text(blob(manifests[0].digest)));
    expect(manifest.config.digest).toBe(result.id);
    for (const { digest, size } of [manifest.config, ...manifest.layers])
      expect(blob(digest)?.length).toBe(size);
    const [described] = JSON.parse(text(content.get('manifest.json')));
    expect(described.Layers).toEqual(
      manifest.layers.map(({ digest }: { digest: string }) => `blobs/${digest.replace(':', '/')}`),
    );
  });

  it('keeps the manifest of an OCI image', async () => {
    const { entries } = await saved('oci', 'podman');
    const stored = await fetch(`${samples.url}/v2/sample/oci/manifests/latest`);
    const digest = stored.headers.get('docker-content-digest')?.replace(':', '/');
    expect(entries.map(({ name }) => name)).toContain(`blobs/${digest}`);
  });
});

describe('regshift save', () => {
  it.each(['docker-1.9', 'docker-20.10', 'docker-28'])(
    '%s: gives the same bytes each time',
    async (client) => {
      const [first, second] = [await saved('index', client), await saved('index', client)];
      expect(readFileSync(first.file).equals(readFileSync(second.file))).toBe(true);
      expect(first.entries.every(({ time }) => time === 0)).toBe(true);
      expect(first.result.size).toBe(statSync(first.file).size);
    },
  );

  it('saves the image of a platform', async () => {
    const amd64 = await saved('index', 'docker-20.10');
    const arm64 = await saved('index', 'docker-20.10', '--platform', 'linux/arm64');
    expect(arm64.result.id).not.toBe(amd64.result.id);
    expect([arm64.result.platform, amd64.result.platform]).toEqual(['linux/arm64', 'linux/amd64']);
    expect((await saved('oci', 'docker-20.10')).result.platform).toBeUndefined();
  });

  it('refuses an image that is in no index and for another platform', async () => {
    const file = join(temporaryFolder(), 'image.tar');
    const { code, err } = await regshift([
      ...['save', `${samples.host}/sample/oci`, '--for', 'podman', '--platform', 'linux/arm64', '-o', file],
    ]);
    expect({ code, isThere: existsSync(file) }).toEqual({ code: 1, isThere: false });
    expect(err).toMatch(/The image is for linux\/amd64, and not for linux\/arm64/);
  });

  it('gives no name to an image that is named by its digest', async () => {
    const digest = (await fetch(`${samples.url}/v2/sample/oci/manifests/latest`)).headers.get(
      'docker-content-digest',
    );
    const file = join(temporaryFolder(), 'image.tar');
    for (const [client, name] of [
      ['docker-20.10', 'manifest.json'],
      ['docker-1.9', 'repositories'],
    ] as const) {
      expect(
        (await regshift(['save', `${samples.host}/sample/oci@${digest}`, '--for', client, '-o', file])).code,
      ).toBe(0);
      const found = (await readArchive(file)).find((entry) => entry.name === name);
      if (name === 'repositories') expect(found).toBeUndefined();
      else expect(JSON.parse(text(found?.content))[0].RepoTags).toBeNull();
    }
  });

  it.each([[], ['-o', '-']])(
    'writes to standard output, and the result to standard error: %j',
    async (...argv) => {
      const { code, bytes, err } = await regshift([
        'save',
        `${samples.host}/sample/oci`,
        '--for',
        'docker-1.9',
        ...argv,
      ]);
      expect(code).toBe(0);
      expect(bytes.length % 512).toBe(0);
      const { file } = await saved('oci', 'docker-1.9');
      expect(readFileSync(file).equals(bytes)).toBe(true);
      expect(err).toMatch(
        /^standard output has .* for docker-1\.9: v1 images and repositories, [\d.]+ kB\n {2}id {8}\w{64}\n/,
      );
    },
  );

  test.each<[argv: readonly string[], outputTerminal: boolean, why: RegExp]>([
    [['--for', 'docker-1.9'], true, /The archive is not for a terminal\. Name a file: -o image\.tar/],
    [['--for', 'docker-1.9', '--json'], false, /Name a file for the archive: -o image\.tar/],
    [
      ['--for', 'netscape-4', '-o', 'x.tar'],
      false,
      /netscape-4 is not a known client\. Known clients: docker-1\.5, /,
    ],
    [[], false, /required option '--for <client>' not specified/],
  ])('%j: exit code 2', async (argv, outputTerminal, why) => {
    const { code, out, err } = await regshift(['save', 'x', ...argv], {
      ...(outputTerminal ? { columns: 80 } : {}),
    });
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(why);
  });

  it.each([
    [
      'nope/image.tar',
      1,
      /^regshift: \S+\/nope\/image\.tar cannot be written: there is no folder \S+\/nope\.\n$/,
    ],
    ['folder', 1, /^regshift: (\S+\/folder) names a folder\. Name a file in it: -o \1\/image\.tar\n$/],
    ['other/', 1, /^regshift: \S+\/other\/ names a folder\./],
    ['file/image.tar', 1, /^regshift: \S+\/file\/image\.tar: a part of this path is a file/],
    [`${'n'.repeat(300)}.tar`, 1, /n\.tar: the name is too long/],
    ['/dev/full', 1, /^regshift: \/dev\/full: there is no space left\n$/],
  ])('-o %s: names the path that was asked for, and leaves nothing', async (name, code, why) => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'folder'));
    writeFileSync(join(folder, 'file'), '');
    const path = name.startsWith('/') ? name : `${folder}/${name}`;
    const argv = ['save', `${samples.host}/sample/oci`, '--for', 'podman', '-o', path];
    expect(await regshift(argv)).toMatchObject({ code, out: '', err: expect.stringMatching(why) });
    expect(await readdir(folder)).toEqual(['file', 'folder']);
    expect(await readdir(join(folder, 'folder'))).toEqual([]);
  });

  it('asks the registry for nothing if the file cannot be written', async () => {
    const argv = [
      'save',
      '127.0.0.1:1/app',
      '--for',
      'podman',
      '-o',
      join(temporaryFolder(), 'nope/image.tar'),
    ];
    expect((await regshift(argv)).err).toContain('there is no folder');
  });

  it('replaces an older archive, at the end of a link, too, and no file beside it', async () => {
    const folder = temporaryFolder();
    const [file, link] = [join(folder, 'image.tar'), join(folder, 'link.tar')];
    writeFileSync(file, 'an older archive');
    writeFileSync(`${file}.part`, 'of somebody else');
    symlinkSync(file, link);
    const argv = ['save', `${samples.host}/sample/oci`, '--for', 'podman', '-o', link];
    expect(await regshift(argv)).toMatchObject({ code: 0, err: '' });
    expect(statSync(file).size).toBeGreaterThan(10_000);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(`${file}.part`, 'utf8')).toBe('of somebody else');
    expect((await readdir(folder)).toSorted()).toEqual(['image.tar', 'image.tar.part', 'link.tar']);
  });

  it.each(['n'.repeat(251), '\u{1f433}'.repeat(62)])(
    'writes a file whose name is as long as a file system takes: %s.tar',
    async (begin) => {
      const name = `${begin}.tar`;
      const folder = temporaryFolder();
      const argv = ['save', `${samples.host}/sample/oci`, '--for', 'podman', '-o', join(folder, name)];
      expect(await regshift(argv)).toMatchObject({ code: 0, err: '' });
      expect(await readdir(folder)).toEqual([name]);
    },
  );

  it('needs no folder for temporary files where it writes none', async () => {
    vi.stubEnv('TMPDIR', '/nope');
    onTestFinished(() => void vi.unstubAllEnvs());
    const argv = ['save', `${samples.host}/sample/oci-zstd`, '--for', 'podman', '-o', '/dev/null'];
    expect(await regshift(argv)).toMatchObject({ code: 0, err: '' });
  });

  it('says that the folder for temporary files cannot be used', async () => {
    vi.stubEnv('TMPDIR', '/nope');
    onTestFinished(() => void vi.unstubAllEnvs());
    const argv = ['save', `${samples.host}/sample/oci`, '--for', 'docker-20.10'];
    expect(await regshift(argv)).toMatchObject({
      code: 1,
      err:
        'regshift: The folder /nope for temporary files cannot be used: no such file or folder. ' +
        'Set TMPDIR to another folder.\n',
    });
  });

  it('refuses an image with more layers than Docker registers, which docker load would end at', async () => {
    const registry = await startUploadRegistry();
    onTestFinished(() => registry.stop());
    await pushImage(`http://${registry.host}`, 'team/app', '1.0', imageOfLayers(126));
    const file = join(temporaryFolder(), 'image.tar');
    const saved = (client: string) =>
      regshift(['save', `${registry.host}/team/app:1.0`, '--for', client, '-o', file]);
    const { code, err } = await saved('docker-20.10');
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(
        /cannot load the image: it registers at most 125 layers, and the image has 126; rebuild/,
      ),
    ]);
    expect(existsSync(file)).toBe(false);
    expect(await saved('podman-4')).toMatchObject({ code: 0 });
  });

  it('says why an artifact cannot be saved', async () => {
    const file = join(temporaryFolder(), 'image.tar');
    const { code, err } = await regshift([
      'save',
      `${samples.host}/sample/helm-chart`,
      '--for',
      'docker-20.10',
      '-o',
      file,
    ]);
    expect({ code, err }).toEqual({ code: 1, err: expect.stringMatching(/not a container image/) });
    expect(existsSync(file)).toBe(false);
  });

  it('logs in as docker login has', async () => {
    const strict = await startStrictRegistry('alice:wonderland', createSampleRegistry().fetch);
    onTestFinished(() => strict.stop());
    const folder = temporaryFolder();
    writeFileSync(
      join(folder, 'config.json'),
      JSON.stringify({ auths: { [strict.host]: { auth: btoa('alice:wonderland') } } }),
    );
    const argv = ['save', `${strict.host}/sample/oci`, '--for', 'podman', '-o', join(folder, 'image.tar')];
    expect((await regshift(argv, { env: { DOCKER_CONFIG: folder } })).code).toBe(0);
    expect((await regshift(argv)).code).toBe(1);
  });
});

describe('an image with one tar in two compressions', () => {
  const tar = new Uint8Array(1024);
  const gzip = { mediaType: mediaTypes.ociLayerGzip, compressed: new Uint8Array(gzipSync(tar)), tar };
  const zstd = { mediaType: mediaTypes.ociLayerZstd, compressed: new Uint8Array(zstdCompressSync(tar)), tar };
  const other = new Uint8Array(2048);
  const top = { mediaType: mediaTypes.ociLayerGzip, compressed: new Uint8Array(gzipSync(other)), tar: other };

  it.each([
    ['docker-1.9', [gzip, zstd, top]],
    ['docker-1.9', [zstd, gzip, top]],
    ['docker-20.10', [gzip, zstd, top]],
    ['docker-20.10', [zstd, gzip, top]],
  ])('is saved for %s', async (client, layers) => {
    const script = compressedImage('app/twice', layers);
    const server = createServer(async ({ method = 'GET', url = '/' }, response) => {
      const request = new Request(new URL(url, 'http://one.test'), { method });
      const answer = (await script(request, new URL(request.url))) ?? new Response(null, { status: 404 });
      response.writeHead(answer.status, Object.fromEntries(answer.headers));
      response.end(new Uint8Array(await answer.arrayBuffer()));
    });
    const { host, stop } = await listen(server);
    onTestFinished(() => stop());
    const file = join(temporaryFolder(), 'image.tar');
    const argv = ['save', `${host}/app/twice`, '--for', client, '-o', file];
    expect(await regshift(argv)).toMatchObject({ code: 0, err: '' });
  });
});

describe('a layer with wrong content', () => {
  const breaking = useBreakingRegistry(async () => ({ port: 0, stop: async () => {} }));

  it.each(['docker-1.9', 'docker-20.10', 'docker-28'])(
    '%s: leaves an older archive as it is',
    async (client) => {
      const { compressed } = breaking.registry.add('app/wrong', 'gzip', (_, __, layer) => {
        const bytes = layer.slice();
        bytes[bytes.length - 9] = (bytes[bytes.length - 9] ?? 0) ^ 1;
        return { bytes };
      });
      const folder = temporaryFolder();
      const file = join(folder, 'image.tar');
      writeFileSync(file, 'an older archive');
      const image = `${breaking.registry.host}/app/wrong`;
      const spools = ownTmpdir();
      const { code, err } = await regshift(['save', image, '--for', client, '-o', file]);
      expect(code).toBe(1);
      expect(err).toContain(`layer ${digestOf(compressed)}`);
      expect(readFileSync(file, 'utf8')).toBe('an older archive');
      expect(await readdir(folder)).toEqual(['image.tar']);
      expect(await readdir(spools)).toEqual([]);
    },
  );

  it('that the registry has lost: the error says so', async () => {
    breaking.registry.add('app/lost', 'gzip', () => ({ status: 404 }));
    const argv = ['save', `${breaking.registry.host}/app/lost`, '--for', 'podman', '-o'];
    const { err } = await regshift([...argv, join(temporaryFolder(), 'image.tar')]);
    expect(err).toContain('The registry has lost a part of the image. Push the image again.');
    expect(err).not.toContain('the tag');
  });

  it('goes on after a broken connection from the byte that is missing', async () => {
    const image = breaking.registry.add('app/cut', 'gzip', (nth) =>
      nth === 0 ? { breakAfter: 100_000 } : {},
    );
    const file = join(temporaryFolder(), 'image.tar');
    const { code, err } = await regshift([
      'save',
      `${breaking.registry.host}/app/cut`,
      '--for',
      'docker-1.9',
      '-o',
      file,
    ]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(image.requests.map(({ range }) => range)).toEqual([
      undefined,
      expect.stringMatching(/^bytes=\d{4,}-$/),
    ]);
  });
});
