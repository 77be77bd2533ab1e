import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf } from '../../converters/digest.ts';
import { mediaTypes } from '../../converters/media-types.ts';
import { widestAccept } from '../../src/upstream/api/manifests.ts';
import { regshift } from '../support/cli.ts';
import { clientPrograms } from '../support/clients/all.ts';
import { startCutter } from '../support/cutter.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { readTree } from '../support/file-tree.ts';
import { requirePeers } from '../support/programs.ts';
import { type RealRegistry, startRealRegistry } from '../support/real-registry.ts';

const missing = requirePeers('docker-registry', 'skopeo', 'umoci');

interface Copied {
  readonly digest: string;
  readonly form: string;
  readonly sent: number;
  readonly platform?: string;
  readonly blobs: readonly { readonly digest: string; readonly transfer: string }[];
  readonly manifests: readonly { readonly digest: string; readonly transfer: string }[];
}

/** The registries and skopeo, which pulls the copies, are independent programs. */
describe.skipIf(missing)('regshift copy between two docker-registries', () => {
  let source: RealRegistry;
  let target: DockerRegistry;
  let from: string;
  let to: string;
  let home: string;
  beforeAll(async () => {
    source = await startRealRegistry();
    target = await startDockerRegistry();
    from = new URL(source.url).host;
    to = new URL(target.url).host;
    home = await mkdtemp(join(tmpdir(), 'regshift-copy-'));
  });
  afterAll(async () => {
    await source?.stop();
    await target?.stop();
    await rm(home, { recursive: true, force: true });
  });

  async function copy(...argv: string[]): Promise<Copied> {
    const { code, json, err } = await regshift(['copy', ...argv, '--json']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    return json<Copied>();
  }

  async function pulled(image: string) {
    const skopeo = await clientPrograms.find((each) => each.name === 'skopeo')?.start();
    try {
      return await readTree((await skopeo?.pull(image)) ?? '');
    } finally {
      await skopeo?.stop();
    }
  }

  async function manifestOf(image: string) {
    const [, host, name, tag] = /^([^/]+)\/(.+):([^:]+)$/.exec(image) ?? [];
    const response = await fetch(`http://${host}/v2/${name}/manifests/${tag}`, {
      headers: { accept: widestAccept },
    });
    const bytes = new Uint8Array(await response.arrayBuffer());
    return { type: response.headers.get('content-type'), digest: digestOf(bytes), bytes };
  }

  it.each(['oci', 'zstd', 'schema2', 'generic'])('copies real/%s byte for byte', async (name) => {
    const copied = await copy(`${from}/real/${name}`, `${to}/same/${name}`);
    const stored = await manifestOf(`${from}/real/${name}:latest`);
    expect(copied.digest).toBe(stored.digest);
    expect(await manifestOf(`${to}/same/${name}:latest`)).toEqual(stored);
  });

  it.each([
    ['zstd', 'schema2'],
    ['zstd', 'schema1'],
    ['oci', 'schema2'],
    ['oci', 'schema1'],
    ['schema2', 'oci'],
    ['generic', 'schema2'],
    ['index', 'schema1'],
    ['list', 'oci'],
  ])('real/%s as %s is pulled by skopeo, with the same files', async (name, form) => {
    const image = `${to}/as-${form}/${name}:latest`;
    const copied = await copy(`${from}/real/${name}`, image, '--as', form);
    expect(copied.form).toBe(form);
    expect((await manifestOf(image)).type).not.toMatch(/index|list/);
    expect(await pulled(image)).toEqual(source.files);
  });

  it('replaces zstd layers by gzip layers, or by the plain tars that a proxy names', async () => {
    const layers = async (image: string) =>
      (
        JSON.parse(new TextDecoder().decode((await manifestOf(image)).bytes)) as {
          layers: { mediaType: string }[];
        }
      ).layers.map(({ mediaType }) => mediaType);
    await copy(`${from}/real/zstd`, `${to}/gzip/zstd:1`, '--as', 'schema2');
    expect(new Set(await layers(`${to}/gzip/zstd:1`))).toEqual(new Set([mediaTypes.dockerLayerGzip]));
    await copy(`${from}/real/zstd`, `${to}/plain/zstd:1`, '--as', 'schema2', '--decompress');
    expect(new Set(await layers(`${to}/plain/zstd:1`))).toEqual(new Set([mediaTypes.dockerLayer]));
    await copy(`${from}/real/zstd`, `${to}/plain/zstd:2`, '--decompress');
    expect(new Set(await layers(`${to}/plain/zstd:2`))).toEqual(new Set([mediaTypes.ociLayer]));
    expect(await pulled(`${to}/plain/zstd:2`)).toEqual(source.files);
  });

  it.each(['index', 'list'])('copies real/%s with all images, or one of them', async (name) => {
    const whole = await copy(`${from}/real/${name}`, `${to}/whole/${name}`, '--all');
    expect(whole.digest).toBe((await manifestOf(`${from}/real/${name}:latest`)).digest);
    expect(whole.manifests).toHaveLength(3);
    const one = await copy(`${from}/real/${name}`, `${to}/one/${name}`, '--platform', 'linux/arm64');
    expect(one).toMatchObject({ platform: 'linux/arm64', manifests: [{ transfer: 'uploaded' }] });
    const converted = await copy(
      ...[`${from}/real/${name}`, `${to}/other/${name}`],
      ...['--all', '--as', name === 'index' ? 'schema2' : 'oci'],
    );
    expect(converted.manifests).toHaveLength(3);
    expect(await pulled(`${to}/other/${name}:latest`)).toEqual(source.files);
  });

  it('mounts blobs within one registry, and sends nothing twice', async () => {
    await copy(`${from}/real/oci`, `${to}/mount/a`);
    const mounted = await copy(`${to}/mount/a`, `${to}/mount/b`);
    expect(new Set(mounted.blobs.map(({ transfer }) => transfer))).toEqual(new Set(['mounted']));
    const again = await copy(`${to}/mount/a`, `${to}/mount/b`);
    expect(again.sent).toBe(0);
    const tagged = await copy(`${to}/mount/a`, `${to}/mount/b:other`);
    expect(new Set(tagged.blobs.map(({ transfer }) => transfer))).toEqual(new Set(['present']));
    expect(await pulled(`${to}/mount/b:other`)).toEqual(source.files);
  });

  it('copies over connections that break, to a registry that forgets such uploads, and from one', async () => {
    const cuts = { read: 0, write: 0 };
    const origin = await startCutter(from, ({ method, sent }) => {
      if (method !== 'GET' || sent < 300_000 || cuts.read >= 2) return false;
      cuts.read += 1;
      return true;
    });
    const sink = await startCutter(to, ({ method, received }) => {
      if (method !== 'PUT' || received < 300_000 || cuts.write >= 2) return false;
      cuts.write += 1;
      return true;
    });
    try {
      const copied = await copy(`${origin.host}/real/oci`, `${sink.host}/cut/oci`);
      expect(copied.digest).toBe((await manifestOf(`${from}/real/oci:latest`)).digest);
      expect(cuts).toEqual({ read: 2, write: 2 });
    } finally {
      await origin.stop();
      await sink.stop();
    }
    expect(await pulled(`${to}/cut/oci:latest`)).toEqual(source.files);
  });
});
