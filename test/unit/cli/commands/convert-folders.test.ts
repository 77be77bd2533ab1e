import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../../converters/digest.ts';
import { readManifest } from '../../../../converters/read.ts';
import { tar } from '../../../../src/sample-registry/tar.ts';
import { regshift, temporaryFolder } from '../../../support/cli.ts';
import { writeSampleLayout } from '../../../support/sample-layout.ts';

const bytesOf = (path: string) => new Uint8Array(readFileSync(path));

describe('regshift convert, from a folder', () => {
  /** Writes a sample as an OCI layout, whose index has the sample under one name. */
  async function namedLayout(sample: string): Promise<string> {
    const folder = temporaryFolder();
    const bytes = bytesOf(await writeSampleLayout(folder, sample));
    const digest = digestOf(bytes);
    const { mediaType } = readManifest(bytes).source;
    const annotations = { 'org.opencontainers.image.ref.name': '1.0' };
    const manifests = [{ mediaType, digest, size: bytes.length, annotations }];
    renameSync(join(folder, 'manifest.json'), join(folder, 'blobs', digest.replace(':', '/')));
    writeFileSync(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
    writeFileSync(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
    return folder;
  }

  it.each([
    ['oci', 'schema2'],
    ['index', 'list'],
  ] as const)('converts what the only name of a layout stands for: %s to %s', async (sample, to) => {
    const stored = await writeSampleLayout(temporaryFolder(), sample);
    const outs = [temporaryFolder(), temporaryFolder()] as const;
    const alone = await regshift(['convert', stored, '--to', to, '--out', `${outs[0]}/`]);
    const layout = await namedLayout(sample);
    const { code, out } = await regshift(['convert', layout, '--to', to, '--out', `${outs[1]}/`]);
    expect({ code, out }).toEqual({ code: 0, out: alone.out });
    expect(await regshift(['verify', outs[1], '--layers', '--strict'])).toMatchObject({ code: 0 });
  });

  it('names the files of a layout with several names: it selected the first image', async () => {
    const folder = await namedLayout('oci');
    const index = join(folder, 'index.json');
    const { manifests, ...others } = JSON.parse(readFileSync(index, 'utf8'));
    const second = { ...manifests[0], annotations: { 'org.opencontainers.image.ref.name': '2.0' } };
    writeFileSync(index, JSON.stringify({ ...others, manifests: [...manifests, second] }));
    const blob = join(folder, 'blobs', manifests[0].digest.replace(':', '/'));
    const convert = ['--to', 'schema2', '--platform', 'linux/amd64'];
    expect(await regshift(['convert', folder, ...convert])).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining(
        `${index} has several names. Name the file of one manifest: ${blob} (1.0), ${blob} (2.0)`,
      ),
    });
    expect(await regshift(['convert', blob, ...convert])).toMatchObject({ code: 0 });
  });

  it('selects the platform of an image whose name in the layout has none', async () => {
    const convert = ['convert', await namedLayout('oci'), '--to', 'schema2', '--platform'];
    expect(await regshift([...convert, 'linux/amd64'])).toMatchObject({ code: 0 });
    expect(await regshift([...convert, 'linux/arm64'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('There is no image for linux/arm64'),
    });
  });

  it('reads the folder that skopeo writes, and refuses one without a manifest', async () => {
    const folder = join(await writeSampleLayout(temporaryFolder(), 'oci'), '..');
    expect(await regshift(['convert', folder, '--to', 'schema2'])).toMatchObject({ code: 0 });
    const empty = temporaryFolder();
    expect(await regshift(['convert', empty, '--to', 'schema2'])).toMatchObject({
      code: 1,
      err: `regshift: ${empty} is a folder, but a file is needed.\n`,
    });
  });
});

describe('regshift convert and verify, of archives', () => {
  const remedy = 'skopeo copy docker-archive:<archive> oci:<folder> makes the folder';

  it.each(['convert', 'verify'])('%s says how to make a folder of an archive', async (command) => {
    const file = join(temporaryFolder(), 'app.tar');
    const to = command === 'convert' ? ['--to', 'oci'] : [];
    const archive = tar([{ kind: 'file', path: 'manifest.json', content: new Uint8Array(2) }]);
    const large = tar([{ kind: 'file', path: 'layer', content: new Uint8Array(5 << 20) }]);
    // Larger than a manifest may be, like each archive of an image: it is not called a manifest that is too large.
    const archives = [archive, gzipSync(archive), zstdCompressSync(archive), large];
    for (const bytes of archives) {
      writeFileSync(file, bytes);
      const { code, err } = await regshift([command, file, ...to]);
      expect(code).toBe(1);
      expect(err).toContain(`regshift: ${file} is an archive, and not a manifest.`);
      expect(err).toContain(remedy);
    }
    writeFileSync(file, '[{"Config":"a.json","RepoTags":["app:1.0"],"Layers":["a/layer.tar"]}]\n');
    const { code, err } = await regshift([command, file, ...to]);
    expect(code).toBe(1);
    expect(err).toContain(`${file} is a list, like the manifest.json of docker save, and not a manifest.`);
    expect(err).toContain(remedy);
  });
});
