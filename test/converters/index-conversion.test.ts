import { describe, expect, it } from 'vitest';
import {
  ConversionError,
  type Converted,
  chooseImage,
  convert,
  convertIndex,
  digestOf,
  type Index,
  type IndexForm,
  mediaTypes,
} from '../../converters/index.ts';
import { diffIdOf, on, Shelf, type Stored } from '../support/converters/shelf.ts';

const { ociManifest, ociLayerZstd, schema2, dockerList, dockerConfig, genericFatTarget } = mediaTypes;

const parsed = ({ body }: Converted) => JSON.parse(new TextDecoder().decode(body));
const indexOn = (shelf: Shelf, stored: Stored) => shelf.read(stored) as Index;
const to = (shelf: Shelf, stored: Stored, form: IndexForm, more: object = {}) =>
  convertIndex(indexOn(shelf, stored), form, { ...shelf.context, ...more });

function attestationOf(shelf: Shelf, { digest }: Stored) {
  return {
    ...shelf.add(ociManifest, { attestation: digest }),
    ...on('unknown', { os: 'unknown' }),
    annotations: {
      'vnd.docker.reference.digest': digest,
      'vnd.docker.reference.type': 'attestation-manifest',
    },
  };
}

describe('an index as a list', () => {
  it('has converted children under their new digests and sizes', async () => {
    const shelf = new Shelf();
    const converted = await to(shelf, shelf.index([{ ...shelf.image('a'), ...on('amd64') }]), 'schema2');
    const [child] = converted.children;
    expect(parsed(converted)).toEqual({
      schemaVersion: 2,
      mediaType: dockerList,
      manifests: [{ mediaType: schema2, digest: child?.digest, size: child?.body.length, ...on('amd64') }],
    });
    expect(child && digestOf(child.body)).toBe(child?.digest);
    expect(converted).toMatchObject({ kind: 'index', form: 'schema2', mediaType: dockerList, losses: [] });
  });

  it('keeps the layout of the index', async () => {
    const shelf = new Shelf();
    const stored = shelf.add(
      mediaTypes.ociIndex,
      {
        manifests: [{ ...on('amd64'), ...shelf.image('a') }],
        schemaVersion: 2,
        mediaType: mediaTypes.ociIndex,
      },
      7,
    );
    const { body } = await to(shelf, stored, 'schema2');
    const text = new TextDecoder().decode(body);
    expect(text).toBe(JSON.stringify(JSON.parse(text), null, 7));
    expect(Object.keys(JSON.parse(text))).toEqual(['manifests', 'schemaVersion', 'mediaType']);
  });

  it('has no attestations, whichever way they are marked, and says so', async () => {
    const shelf = new Shelf();
    const image = shelf.image('a');
    const { platform: _, ...byAnnotation } = attestationOf(shelf, image);
    const { annotations: __, ...byPlatform } = attestationOf(shelf, image);
    const converted = await to(
      shelf,
      shelf.index([{ ...image, ...on('amd64') }, byAnnotation, byPlatform]),
      'schema2',
    );
    expect(parsed(converted).manifests).toHaveLength(1);
    expect(converted.losses.map(({ kind, path }) => `${kind} ${path}`)).toEqual([
      'entries $.manifests[1]',
      'entries $.manifests[2]',
    ]);
  });

  it('has no artifacts, and they are fetched only where they do not say what they are', async () => {
    const shelf = new Shelf();
    const config = shelf.add('application/vnd.cncf.helm.config.v1+json', { name: 'chart' });
    const chart = shelf.add(ociManifest, { schemaVersion: 2, config, layers: [] });
    const stored = shelf.index([
      { ...shelf.image('a'), ...on('amd64') },
      chart,
      { ...shelf.image('b'), artifactType: 'application/vnd.example', ...on('arm') },
      { ...shelf.image('c'), artifactType: mediaTypes.ociConfig, ...on('arm') },
    ]);
    const converted = await to(shelf, stored, 'schema2');
    expect(converted.losses.map(({ path }) => path)).toEqual([
      '$.manifests[1]',
      '$.manifests[2]',
      '$.manifests[3].artifactType',
    ]);
    expect(parsed(converted).manifests).toHaveLength(2);
  });

  it('has the platform that the config says where an entry says none', async () => {
    const shelf = new Shelf();
    const converted = await to(shelf, shelf.index([shelf.image('a', 's390x')]), 'schema2');
    expect(parsed(converted).manifests[0].platform).toEqual({ architecture: 's390x', os: 'linux' });
  });

  it('has the platform of a schema 1 child, whose layers were read', async () => {
    const shelf = new Shelf();
    const layer = shelf.layer('', 'old');
    const entry = { id: 'a'.repeat(64), architecture: 'arm', os: 'linux' };
    const old = shelf.add(mediaTypes.schema1, {
      schemaVersion: 1,
      architecture: 'arm',
      fsLayers: [{ blobSum: layer.digest }],
      history: [{ v1Compatibility: JSON.stringify(entry) }],
    });
    const converted = await to(shelf, shelf.index([old]), 'schema2');
    expect(parsed(converted).manifests[0]).toMatchObject({
      mediaType: schema2,
      platform: { architecture: 'arm', os: 'linux' },
    });
    expect(converted.children[0]?.blobs).toHaveLength(1);
  });

  it('has the entries of an index inside it in the place of that', async () => {
    const shelf = new Shelf();
    const innermost = shelf.index([{ ...shelf.image('c'), ...on('arm') }]);
    const inner = shelf.index([{ ...shelf.image('b'), ...on('arm64') }, innermost]);
    const stored = shelf.index([inner, { ...shelf.image('a'), ...on('amd64') }]);
    const converted = await to(shelf, stored, 'schema2');
    const architectures = parsed(converted).manifests.map(
      (each: { platform: { architecture: string } }) => each.platform.architecture,
    );
    expect(architectures).toEqual(['arm64', 'arm', 'amd64']);
    expect(converted.children).toHaveLength(3);
    expect(converted.losses.map(({ kind }) => kind)).toEqual(['entries', 'entries']);
  });

  it('leaves out what cannot be converted, and reports it in the order of the entries', async () => {
    const shelf = new Shelf();
    const encrypted = shelf.image('x', 'arm', `${mediaTypes.ociLayerGzip}+encrypted`);
    const stored = shelf.index([
      { ...shelf.add(ociManifest, 'no JSON'), ...on('a') },
      { ...encrypted, ...on('arm') },
      { ...shelf.add(ociManifest, { schemaVersion: 2, manifests: [], layers: [] }), ...on('b') },
      { ...shelf.image('a'), ...on('amd64') },
      { ...shelf.add('text/plain', 'a licence'), ...on('c') },
      { ...shelf.add(ociManifest, { what: 'is this' }), ...on('d') },
    ]);
    const converted = await to(shelf, stored, 'schema2');
    expect(parsed(converted).manifests).toHaveLength(1);
    expect(converted.losses.map(({ path }) => path)).toEqual(
      [0, 1, 2, 4, 5].map((at) => `$.manifests[${at}]`),
    );
  });

  it('leaves out a child that the caller says does not exist', async () => {
    const shelf = new Shelf();
    const gone = shelf.image('gone', 'arm');
    const stored = shelf.index([
      { ...gone, ...on('arm') },
      { ...shelf.image('a'), ...on('amd64') },
    ]);
    const ports = {
      ...shelf.context.ports,
      fetchManifest: (descriptor: { digest: string }) =>
        descriptor.digest === gone.digest
          ? Promise.reject(new ConversionError({ code: 'UNAVAILABLE', message: 'Upstream does not have it' }))
          : shelf.context.ports.fetchManifest(descriptor as never),
    };
    const converted = await to(shelf, stored, 'schema2', { ports });
    expect(converted.losses).toMatchObject([
      { path: '$.manifests[0]', reason: expect.stringContaining('does not have it') },
    ]);
  });

  it('is refused when nothing is left, with the reasons', async () => {
    const shelf = new Shelf();
    const stored = shelf.index([{ ...shelf.add(ociManifest, 'no JSON'), ...on('amd64') }]);
    await expect(to(shelf, stored, 'schema2')).rejects.toMatchObject({
      code: 'INEXPRESSIBLE',
      message: expect.stringContaining('line 1, column 1'),
    });
  });

  it('fails as a whole for a wrong byte', async () => {
    const shelf = new Shelf();
    const image = shelf.image('a');
    const stored = shelf.index([
      { ...image, ...on('amd64') },
      { ...shelf.image('b'), ...on('arm') },
    ]);
    shelf.spoil(image.digest);
    await expect(to(shelf, stored, 'schema2')).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
  });

  it('fails with the very error of a port', async () => {
    const shelf = new Shelf();
    const stored = shelf.index([{ ...shelf.image('a'), ...on('amd64') }]);
    const fault = new Error('upstream is on fire');
    const ports = { ...shelf.context.ports, fetchManifest: () => Promise.reject(fault) };
    await expect(to(shelf, stored, 'schema2', { ports })).rejects.toBe(fault);
  });
});

describe('an index as an index', () => {
  it('is itself where nothing is to be done, attestations and artifacts and all', async () => {
    const shelf = new Shelf();
    const image = shelf.image('a');
    const config = shelf.add('application/vnd.cncf.helm.config.v1+json', { name: 'chart' });
    const chart = shelf.add(ociManifest, { schemaVersion: 2, config, layers: [] });
    const entries = [
      { ...image, ...on('amd64') },
      attestationOf(shelf, image),
      { ...chart, artifactType: 'application/x' },
      chart,
    ];
    const stored = shelf.index([...entries, shelf.index(entries)], { annotations: { a: 'b' } });
    const converted = await to(shelf, stored, 'oci');
    expect(converted.body).toEqual(shelf.bytes(stored.digest));
    expect(converted).toMatchObject({ digest: stored.digest, children: [], losses: [] });
  });

  it('comes back from a list byte for byte', async () => {
    const shelf = new Shelf();
    const stored = shelf.index([
      { ...shelf.image('a'), ...on('amd64') },
      { ...shelf.image('b', 'arm'), ...on('arm') },
    ]);
    const list = await to(shelf, stored, 'schema2');
    for (const child of list.children) shelf.add(child.mediaType, new TextDecoder().decode(child.body));
    const again = shelf.add(dockerList, new TextDecoder().decode(list.body));
    expect((await to(shelf, again, 'oci')).body).toEqual(shelf.bytes(stored.digest));
  });

  it('keeps an index inside it, converted', async () => {
    const shelf = new Shelf();
    const docker = { ...shelf.add(schema2, oldManifest(shelf)), ...on('amd64') };
    const inner = shelf.index([docker]);
    const converted = await to(shelf, shelf.index([inner]), 'oci');
    const [nested] = converted.children;
    expect(parsed(converted).manifests[0].digest).toBe(nested?.digest);
    expect(nested?.children).toHaveLength(1);
  });

  it('has no content embedded, and no addresses, of what was converted', async () => {
    const shelf = new Shelf();
    const stale = { data: 'e30=', urls: ['https://example.com/x'], annotations: { kept: 'yes' } };
    const docker = { ...shelf.add(schema2, oldManifest(shelf)), ...on('amd64'), ...stale };
    const settled = { ...shelf.image('a'), ...on('arm'), ...stale };
    const { manifests } = parsed(await to(shelf, shelf.index([docker, settled]), 'oci'));
    expect(manifests[0]).toMatchObject({ annotations: { kept: 'yes' } });
    expect(manifests[0]).not.toHaveProperty('data');
    expect(manifests[0]).not.toHaveProperty('urls');
    expect(manifests[1]).toMatchObject(stale);
  });

  it('drops an attestation of an image that was converted, for it is about another digest', async () => {
    const shelf = new Shelf();
    const docker = shelf.add(schema2, oldManifest(shelf));
    const untouched = shelf.image('a');
    const stored = shelf.index([
      { ...docker, ...on('amd64') },
      attestationOf(shelf, docker),
      { ...untouched, ...on('arm') },
      attestationOf(shelf, untouched),
    ]);
    const converted = await to(shelf, stored, 'oci');
    expect(parsed(converted).manifests).toHaveLength(3);
    expect(converted.losses.map(({ path }) => path)).toEqual(['$.manifests[1]']);
  });

  it('for who cannot unpack zstd has plain layers, for the platform asked for alone', async () => {
    const shelf = new Shelf();
    const stored = shelf.index([
      { ...shelf.image('a', 'amd64', ociLayerZstd), ...on('amd64') },
      { ...shelf.image('b', 'arm', ociLayerZstd), ...on('arm') },
      { ...shelf.image('c', 'arm64'), ...on('arm64') },
    ]);
    const layersOf = { os: 'linux', architecture: 'amd64' };
    const converted = await to(shelf, stored, 'oci', { unpackZstd: true, layersOf });
    expect(parsed(converted).manifests).toHaveLength(2);
    expect(converted.losses).toMatchObject([
      { path: '$.manifests[1]', reason: expect.stringContaining('linux/amd64') },
    ]);
    expect(converted.children[0]?.blobs).toMatchObject([{ kind: 'layer', digest: diffIdOf('a'), size: 100 }]);
  });
});

function oldManifest(shelf: Shelf) {
  const image = JSON.parse(new TextDecoder().decode(shelf.bytes(shelf.image('old').digest)));
  const layers = image.layers.map((layer: object) => ({ ...layer, mediaType: mediaTypes.dockerLayerGzip }));
  return { ...image, mediaType: schema2, config: { ...image.config, mediaType: dockerConfig }, layers };
}

describe('an index as a fat generic manifest', () => {
  it('names platforms in labels and in the target, every detail of them', async () => {
    const shelf = new Shelf();
    const details = { variant: 'v8', 'os.version': '1.2', 'os.features': ['a', 'b'] };
    const stored = shelf.index([{ ...shelf.image('a'), ...on('arm64', details) }], {
      annotations: { on: 'index' },
    });
    const converted = await to(shelf, stored, 'generic');
    const [table] = converted.blobs;
    const { target, dependencies, labels } = parsed(converted);
    expect(dependencies[0].labels).toEqual({
      os: 'linux',
      arch: 'arm64',
      variant: 'v8',
      'os.version': '1.2',
      'os.features': 'a,b',
    });
    expect(labels).toEqual({ on: 'index' });
    expect(target).toMatchObject({ mediaType: genericFatTarget, digest: table?.digest });
    expect(table?.kind === 'config' && JSON.parse(new TextDecoder().decode(table.bytes))).toEqual([
      { os: 'linux', arch: 'arm64', variant: 'v8', manifestDigest: converted.children[0]?.digest },
    ]);
  });

  it('comes back as an index with the same platforms', async () => {
    const shelf = new Shelf();
    const platform = {
      architecture: 'arm64',
      os: 'linux',
      'os.version': '1.2',
      'os.features': ['a', 'b'],
      variant: 'v8',
    };
    const generic = await to(shelf, shelf.index([{ ...shelf.image('a'), platform }]), 'generic');
    for (const child of generic.children) shelf.add(child.mediaType, new TextDecoder().decode(child.body));
    const again = shelf.add(mediaTypes.generic, new TextDecoder().decode(generic.body));
    expect(parsed(await to(shelf, again, 'oci')).manifests[0].platform).toEqual(platform);
  });

  it('reports details of a platform that it has no label for', async () => {
    const shelf = new Shelf();
    const stored = shelf.index([{ ...shelf.image('a'), ...on('amd64', { features: ['sse4'] }) }]);
    const { losses } = await to(shelf, stored, 'generic');
    expect(losses).toMatchObject([{ kind: 'platform', path: '$.manifests[0].platform.features' }]);
  });
});

describe('a fat generic manifest', () => {
  const fat = (shelf: Shelf, target: unknown, dependencies: readonly object[]) =>
    shelf.add(mediaTypes.generic, {
      schemaVersion: 2,
      target: shelf.add(genericFatTarget, target),
      dependencies,
    });

  it('finds its platforms in the target’s own table', async () => {
    const shelf = new Shelf();
    const image = shelf.image('a', '');
    const table = [{ os: 'linux', arch: 'arm', variant: 'v7', manifestDigest: image.digest }];
    const stored = fat(shelf, table, [{ ...image, mediaType: dockerConfig }]);
    expect(parsed(await to(shelf, stored, 'oci')).manifests[0].platform).toEqual({
      architecture: 'arm',
      os: 'linux',
      variant: 'v7',
    });
  });

  it.each([[{ description: 'no table' }], ['text, and no table']])(
    'reads configs where neither labels nor a target of %j says',
    async (target) => {
      const shelf = new Shelf();
      const stored = fat(shelf, target, [{ ...shelf.image('a', 'arm'), mediaType: dockerConfig }]);
      const { manifests } = parsed(await to(shelf, stored, 'schema2'));
      expect(manifests[0].platform).toEqual({ architecture: 'arm', os: 'linux' });
    },
  );

  it('is refused with a table that cannot be read', async () => {
    const shelf = new Shelf();
    const stored = fat(shelf, [{ os: 'linux' }], [shelf.image('a')]);
    await expect(to(shelf, stored, 'oci')).rejects.toMatchObject({ code: 'INVALID', dialect: 'generic' });
  });

  it('written as itself is itself', async () => {
    const shelf = new Shelf();
    const child = await convertOne(shelf, shelf.image('a'));
    const stored = fat(shelf, {}, [
      { ...child, mediaType: dockerConfig, labels: { os: 'linux', arch: 'amd64' } },
    ]);
    expect((await to(shelf, stored, 'generic')).body).toEqual(shelf.bytes(stored.digest));
  });
});

async function convertOne(shelf: Shelf, stored: Stored): Promise<Stored> {
  const { body, mediaType } = await convert(shelf.read(stored), 'generic', shelf.context);
  return shelf.add(mediaType, new TextDecoder().decode(body));
}

describe('a tree of indexes', () => {
  function nested(shelf: Shelf, depth: number): Stored {
    let stored = shelf.index([{ ...shelf.image('a'), ...on('amd64') }]);
    for (let level = 1; level < depth; level += 1) stored = shelf.index([stored]);
    return stored;
  }

  it.each(['schema2', 'oci', 'generic'] as const)('is followed to a depth of eight, as %s', async (form) => {
    const shelf = new Shelf();
    await to(shelf, nested(shelf, 8), form);
    await expect(to(shelf, nested(shelf, 9), form)).rejects.toMatchObject({ code: 'LIMIT' });
  });

  it('is counted as a whole', async () => {
    const shelf = new Shelf();
    const wide = shelf.index(Array.from({ length: 500 }, () => ({ ...shelf.image('a'), ...on('amd64') })));
    await expect(to(shelf, shelf.index([wide, wide]), 'oci')).rejects.toMatchObject({ code: 'LIMIT' });
  });

  it('is not followed into itself', async () => {
    const shelf = new Shelf();
    const inner = shelf.index([{ ...shelf.image('a'), ...on('amd64') }]);
    const outer = shelf.index([inner]);
    // No digest names an index that contains itself; a port that lies is found out before that.
    const read = indexOn(shelf, outer);
    const loop = { ...read, source: { ...read.source, digest: inner.digest } };
    await expect(convertIndex(loop, 'oci', shelf.context)).rejects.toMatchObject({
      code: 'INEXPRESSIBLE',
      message: expect.stringContaining('contains itself'),
    });
  });

  it('is fetched by six at a time at most, at all depths together', async () => {
    const shelf = new Shelf();
    const leaf = (name: string) =>
      shelf.index(
        Array.from({ length: 6 }, (_, at) => ({ ...shelf.image(`${name} ${at}`), ...on('amd64') })),
      );
    const stored = shelf.index(Array.from({ length: 6 }, (_, at) => leaf(`leaf ${at}`)));
    await to(shelf, stored, 'schema2');
    expect(shelf.calls).toBeGreaterThan(36);
    expect(shelf.busiest).toBe(6);
  });

  it('begins nothing new after a failure', async () => {
    const shelf = new Shelf();
    const images = Array.from({ length: 100 }, (_, at) => ({
      ...shelf.image(`image ${at}`),
      ...on('amd64'),
    }));
    const [first] = images;
    if (first) shelf.spoil(first.digest);
    await expect(to(shelf, shelf.index(images), 'schema2')).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(shelf.calls).toBeLessThan(20);
  });
});

describe('one image of an index', () => {
  const amd64 = { os: 'linux', architecture: 'amd64' };

  it('is found in an index inside an index, past attestations and artifacts', async () => {
    const shelf = new Shelf();
    const image = shelf.image('a');
    const entries = [
      attestationOf(shelf, image),
      { ...shelf.image('artifact'), artifactType: 'application/x', ...on('amd64') },
      { ...image, ...on('amd64') },
    ];
    const stored = shelf.index([shelf.index(entries)]);
    expect((await chooseImage(indexOn(shelf, stored), amd64, shelf.context.ports)).source.digest).toBe(
      image.digest,
    );
  });

  it('is found by its config, where nothing else says', async () => {
    const shelf = new Shelf();
    const image = shelf.image('a', 'amd64');
    const stored = shelf.index([shelf.image('b', 'arm'), image]);
    expect((await chooseImage(indexOn(shelf, stored), amd64, shelf.context.ports)).source.digest).toBe(
      image.digest,
    );
  });

  it('is not there: the platforms that are, are named', async () => {
    const shelf = new Shelf();
    const stored = shelf.index([{ ...shelf.image('a', 'arm'), ...on('arm', { variant: 'v7' }) }]);
    await expect(chooseImage(indexOn(shelf, stored), amd64, shelf.context.ports)).rejects.toMatchObject({
      code: 'NO_PLATFORM',
      found: 'linux/arm/v7',
    });
  });

  it('is not looked for without end', async () => {
    const shelf = new Shelf();
    let stored = shelf.index([{ ...shelf.image('b', 'arm'), ...on('arm') }]);
    for (let level = 0; level < 8; level += 1) stored = shelf.index([stored]);
    await expect(chooseImage(indexOn(shelf, stored), amd64, shelf.context.ports)).rejects.toMatchObject({
      code: 'LIMIT',
    });
  });

  it.each(['schema1', 'v1', 'other'])('has to be chosen before it is %s', async (form) => {
    const shelf = new Shelf();
    const stored = shelf.index([{ ...shelf.image('a'), ...on('amd64') }]);
    await expect(to(shelf, stored, form as IndexForm)).rejects.toMatchObject({ code: 'INEXPRESSIBLE' });
    await expect(convert(shelf.read(stored), form as 'schema1', shelf.context)).rejects.toMatchObject({
      code: 'INEXPRESSIBLE',
    });
  });
});
