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
import {
  diffIdOf,
  MemoryRegistry,
  on,
  type StoredDescriptor,
} from '../support/converters/memory-registry.ts';
import { settled } from '../support/settled.ts';

const { ociManifest, ociLayerZstd, schema2, dockerList, dockerConfig, genericFatTarget } = mediaTypes;

const parsed = ({ body }: Converted) => JSON.parse(new TextDecoder().decode(body));
const indexOn = (registry: MemoryRegistry, stored: StoredDescriptor) => registry.read(stored) as Index;
const to = (registry: MemoryRegistry, stored: StoredDescriptor, form: IndexForm, more: object = {}) =>
  convertIndex(indexOn(registry, stored), form, { ...registry.context, ...more });

function attestationOf(registry: MemoryRegistry, { digest }: StoredDescriptor) {
  return {
    ...registry.add(ociManifest, { attestation: digest }),
    ...on('unknown', { os: 'unknown' }),
    annotations: {
      'vnd.docker.reference.digest': digest,
      'vnd.docker.reference.type': 'attestation-manifest',
    },
  };
}

describe('an index as a list', () => {
  it('names the converted manifests by their new digests and sizes', async () => {
    const registry = new MemoryRegistry();
    const converted = await to(
      registry,
      registry.index([{ ...registry.image('a'), ...on('amd64') }]),
      'schema2',
    );
    const [child] = converted.children;
    expect(parsed(converted)).toEqual({
      schemaVersion: 2,
      mediaType: dockerList,
      manifests: [{ mediaType: schema2, digest: child?.digest, size: child?.body.length, ...on('amd64') }],
    });
    expect(child && digestOf(child.body)).toBe(child?.digest);
    expect(converted).toMatchObject({ kind: 'index', form: 'schema2', mediaType: dockerList, losses: [] });
  });

  it('leaves out an entry whose digest is of an unknown algorithm, and names it', async () => {
    const registry = new MemoryRegistry();
    const unknown = { mediaType: ociManifest, size: 2, digest: `blake9:${'0'.repeat(64)}` };
    const stored = registry.index([{ ...registry.image('a'), ...on('amd64') }, unknown]);
    const converted = await to(registry, stored, 'schema2');
    expect(parsed(converted).manifests).toHaveLength(1);
    expect(converted.losses).toMatchObject([{ kind: 'entries', path: '$.manifests[1]' }]);
  });

  it('says of each entry that it leaves out what that entry is', async () => {
    const registry = new MemoryRegistry();
    const image = registry.image('a');
    const other = registry.add('text/plain', { other: true });
    const index = registry.index([
      { ...image, ...on('amd64') },
      { ...other, ...on('arm64') },
      attestationOf(registry, image),
    ]);
    const { losses } = await to(registry, index, 'schema2');
    expect(losses.map(({ kind, path, name }) => [kind, path, name])).toEqual([
      ['entries', '$.manifests[1]', 'the image for linux/arm64'],
      ['entries', '$.manifests[2]', 'a build attestation'],
    ]);
  });

  it('keeps the layout of the index', async () => {
    const registry = new MemoryRegistry();
    const stored = registry.add(
      mediaTypes.ociIndex,
      {
        manifests: [{ ...on('amd64'), ...registry.image('a') }],
        schemaVersion: 2,
        mediaType: mediaTypes.ociIndex,
      },
      7,
    );
    const { body } = await to(registry, stored, 'schema2');
    const text = new TextDecoder().decode(body);
    expect(text).toBe(JSON.stringify(JSON.parse(text), null, 7));
    expect(Object.keys(JSON.parse(text))).toEqual(['manifests', 'schemaVersion', 'mediaType']);
  });

  it('leaves out attestations with either mark, and reports them', async () => {
    const registry = new MemoryRegistry();
    const image = registry.image('a');
    const { platform: _, ...byAnnotation } = attestationOf(registry, image);
    const { annotations: __, ...byPlatform } = attestationOf(registry, image);
    const converted = await to(
      registry,
      registry.index([{ ...image, ...on('amd64') }, byAnnotation, byPlatform]),
      'schema2',
    );
    expect(parsed(converted).manifests).toHaveLength(1);
    expect(converted.losses.map(({ kind, path }) => `${kind} ${path}`)).toEqual([
      'entries $.manifests[1]',
      'entries $.manifests[2]',
    ]);
  });

  it('leaves out artifacts, and fetches them only if the entry does not show that they are artifacts', async () => {
    const registry = new MemoryRegistry();
    const config = registry.add('application/vnd.cncf.helm.config.v1+json', { name: 'chart' });
    const chart = registry.add(ociManifest, { schemaVersion: 2, config, layers: [] });
    const stored = registry.index([
      { ...registry.image('a'), ...on('amd64') },
      chart,
      { ...registry.image('b'), artifactType: 'application/vnd.example', ...on('arm') },
      { ...registry.image('c'), artifactType: mediaTypes.ociConfig, ...on('arm') },
    ]);
    const converted = await to(registry, stored, 'schema2');
    expect(converted.losses.map(({ path }) => path)).toEqual([
      '$.manifests[1]',
      '$.manifests[2]',
      '$.manifests[3].artifactType',
    ]);
    expect(parsed(converted).manifests).toHaveLength(2);
  });

  it('has the platform of the config if an entry has none', async () => {
    const registry = new MemoryRegistry();
    const converted = await to(registry, registry.index([registry.image('a', 's390x')]), 'schema2');
    expect(parsed(converted).manifests[0].platform).toEqual({ architecture: 's390x', os: 'linux' });
  });

  it('has the platform of a schema 1 image, whose layers are read', async () => {
    const registry = new MemoryRegistry();
    const layer = registry.layer('', 'old');
    const entry = { id: 'a'.repeat(64), architecture: 'arm', os: 'linux' };
    const old = registry.add(mediaTypes.schema1, {
      schemaVersion: 1,
      architecture: 'arm',
      fsLayers: [{ blobSum: layer.digest }],
      history: [{ v1Compatibility: JSON.stringify(entry) }],
    });
    const converted = await to(registry, registry.index([old]), 'schema2');
    expect(parsed(converted).manifests[0]).toMatchObject({
      mediaType: schema2,
      platform: { architecture: 'arm', os: 'linux' },
    });
    expect(converted.children[0]?.blobs).toHaveLength(1);
  });

  it('has the entries of an inner index instead of that index', async () => {
    const registry = new MemoryRegistry();
    const innermost = registry.index([{ ...registry.image('c'), ...on('arm') }]);
    const inner = registry.index([{ ...registry.image('b'), ...on('arm64') }, innermost]);
    const stored = registry.index([inner, { ...registry.image('a'), ...on('amd64') }]);
    const converted = await to(registry, stored, 'schema2');
    const architectures = parsed(converted).manifests.map(
      (each: { platform: { architecture: string } }) => each.platform.architecture,
    );
    expect(architectures).toEqual(['arm64', 'arm', 'amd64']);
    expect(converted.children).toHaveLength(3);
    expect(converted.losses.map(({ kind }) => kind)).toEqual(['entries', 'entries']);
  });

  it('reports what an entry of an inner index loses by the path through both indexes', async () => {
    const registry = new MemoryRegistry();
    const annotations = { a: 'b' };
    const innermost = registry.index([{ ...registry.image('c'), ...on('arm'), annotations }]);
    const inner = registry.index([{ ...registry.image('b'), ...on('arm64'), annotations }, innermost]);
    const stored = registry.index([{ ...registry.image('a'), ...on('amd64') }, inner]);
    const { losses } = await to(registry, stored, 'schema2');
    expect(losses.map(({ kind, path }) => [kind, path])).toEqual([
      ['entries', '$.manifests[1]'],
      ['entries', '$.manifests[1].manifests[1]'],
      ['annotations', '$.manifests[1].manifests[0].annotations'],
      ['annotations', '$.manifests[1].manifests[1].manifests[0].annotations'],
    ]);
  });

  it('leaves out entries that cannot be converted, and reports them in order', async () => {
    const registry = new MemoryRegistry();
    const encrypted = registry.image('x', 'arm', `${mediaTypes.ociLayerGzip}+encrypted`);
    const stored = registry.index([
      { ...registry.add(ociManifest, 'no JSON'), ...on('a') },
      { ...encrypted, ...on('arm') },
      { ...registry.add(ociManifest, { schemaVersion: 2, manifests: [], layers: [] }), ...on('b') },
      { ...registry.image('a'), ...on('amd64') },
      { ...registry.add('text/plain', 'a licence'), ...on('c') },
      { ...registry.add(ociManifest, { what: 'is this' }), ...on('d') },
    ]);
    const converted = await to(registry, stored, 'schema2');
    expect(parsed(converted).manifests).toHaveLength(1);
    expect(converted.losses.map(({ path }) => path)).toEqual(
      [0, 1, 2, 4, 5].map((at) => `$.manifests[${at}]`),
    );
  });

  it('leaves out an entry that a port reports as nonexistent', async () => {
    const registry = new MemoryRegistry();
    const gone = registry.image('gone', 'arm');
    const stored = registry.index([
      { ...gone, ...on('arm') },
      { ...registry.image('a'), ...on('amd64') },
    ]);
    const ports = {
      ...registry.context.ports,
      fetchManifest: (descriptor: { digest: string }) =>
        descriptor.digest === gone.digest
          ? Promise.reject(new ConversionError({ code: 'UNAVAILABLE', message: 'Upstream does not have it' }))
          : registry.context.ports.fetchManifest(descriptor as never),
    };
    const converted = await to(registry, stored, 'schema2', { ports });
    expect(converted.losses).toMatchObject([
      { path: '$.manifests[0]', reason: expect.stringContaining('does not have it') },
    ]);
  });

  it('is refused if no entry is left, with the reasons', async () => {
    const registry = new MemoryRegistry();
    const stored = registry.index([{ ...registry.add(ociManifest, 'no JSON'), ...on('amd64') }]);
    await expect(to(registry, stored, 'schema2')).rejects.toMatchObject({
      code: 'INEXPRESSIBLE',
      message: expect.stringContaining('line 1, column 1'),
    });
  });

  it('fails as a whole for content with another digest', async () => {
    const registry = new MemoryRegistry();
    const image = registry.image('a');
    const stored = registry.index([
      { ...image, ...on('amd64') },
      { ...registry.image('b'), ...on('arm') },
    ]);
    registry.spoil(image.digest);
    await expect(to(registry, stored, 'schema2')).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
  });

  it('fails with the unchanged error of a port', async () => {
    const registry = new MemoryRegistry();
    const stored = registry.index([{ ...registry.image('a'), ...on('amd64') }]);
    const fault = new Error('upstream is on fire');
    const ports = { ...registry.context.ports, fetchManifest: () => Promise.reject(fault) };
    await expect(to(registry, stored, 'schema2', { ports })).rejects.toBe(fault);
  });
});

describe('an index as an index', () => {
  it('keeps its bytes, attestations and artifacts if nothing changes', async () => {
    const registry = new MemoryRegistry();
    const image = registry.image('a');
    const config = registry.add('application/vnd.cncf.helm.config.v1+json', { name: 'chart' });
    const chart = registry.add(ociManifest, { schemaVersion: 2, config, layers: [] });
    const entries = [
      { ...image, ...on('amd64') },
      attestationOf(registry, image),
      { ...chart, artifactType: 'application/x' },
      chart,
    ];
    const stored = registry.index([...entries, registry.index(entries)], { annotations: { a: 'b' } });
    const converted = await to(registry, stored, 'oci');
    expect(converted.body).toEqual(registry.bytes(stored.digest));
    expect(converted).toMatchObject({ digest: stored.digest, children: [], losses: [] });
  });

  it('keeps all members that OCI and others define where inner indexes are replaced by their entries', async () => {
    const registry = new MemoryRegistry();
    const artifact = {
      ...registry.image('a'),
      artifactType: 'application/x',
      data: 'e30=',
      own: { b: 1, a: [null] },
    };
    const image = {
      ...registry.image('b'),
      platform: { os: 'linux', architecture: 'amd64', features: ['sse4'] },
    };
    const old = { ...registry.add(schema2, oldManifest(registry)), ...on('arm'), data: 'e30=', own: 'kept' };
    const more = { annotations: { a: 'b' }, artifactType: 'application/y', subject: registry.image('c') };
    const stored = registry.index([registry.index([artifact, image]), old], more);
    const { body } = await to(registry, stored, 'oci', { flattenIndexes: true });
    const written = JSON.parse(new TextDecoder().decode(body));
    expect(written).toMatchObject({ ...more, manifests: [artifact, image, { own: 'kept' }] });
    expect(written.manifests[2]).not.toHaveProperty('data');
  });

  it('of inner indexes has no member that a list cannot hold', async () => {
    const registry = new MemoryRegistry();
    const platform = { os: 'linux', architecture: 'amd64', features: ['sse4'] };
    const stored = registry.index([registry.index([{ ...registry.image('a'), platform, own: 1 }])], {
      subject: registry.image('b'),
    });
    const list = parsed(await to(registry, stored, 'schema2'));
    expect(Object.keys(list)).toEqual(['schemaVersion', 'mediaType', 'manifests']);
    expect(Object.keys(list.manifests[0])).toEqual(['mediaType', 'size', 'digest', 'platform']);
  });

  it('takes an entry with an empty artifactType for an image, as Go does', async () => {
    const registry = new MemoryRegistry();
    const stored = registry.index([{ ...registry.image('a'), ...on('amd64'), artifactType: '' }]);
    expect(parsed(await to(registry, stored, 'schema2')).manifests).toHaveLength(1);
  });

  it('is the same byte for byte after a manifest list', async () => {
    const registry = new MemoryRegistry();
    const stored = registry.index([
      { ...registry.image('a'), ...on('amd64') },
      { ...registry.image('b', 'arm'), ...on('arm') },
    ]);
    const list = await to(registry, stored, 'schema2');
    for (const child of list.children) registry.add(child.mediaType, new TextDecoder().decode(child.body));
    const again = registry.add(dockerList, new TextDecoder().decode(list.body));
    expect((await to(registry, again, 'oci')).body).toEqual(registry.bytes(stored.digest));
  });

  it('keeps an inner index, converted', async () => {
    const registry = new MemoryRegistry();
    const docker = { ...registry.add(schema2, oldManifest(registry)), ...on('amd64') };
    const inner = registry.index([docker]);
    const converted = await to(registry, registry.index([inner]), 'oci');
    const [nested] = converted.children;
    expect(parsed(converted).manifests[0].digest).toBe(nested?.digest);
    expect(nested?.children).toHaveLength(1);
  });

  it('drops embedded content and URLs of converted manifests', async () => {
    const registry = new MemoryRegistry();
    const stale = { data: 'e30=', urls: ['https://example.com/x'], annotations: { kept: 'yes' } };
    const docker = { ...registry.add(schema2, oldManifest(registry)), ...on('amd64'), ...stale };
    const settled = { ...registry.image('a'), ...on('arm'), ...stale };
    const { manifests } = parsed(await to(registry, registry.index([docker, settled]), 'oci'));
    expect(manifests[0]).toMatchObject({ annotations: { kept: 'yes' } });
    expect(manifests[0]).not.toHaveProperty('data');
    expect(manifests[0]).not.toHaveProperty('urls');
    expect(manifests[1]).toMatchObject(stale);
  });

  it('drops an attestation of a converted image, because it refers to the old digest', async () => {
    const registry = new MemoryRegistry();
    const docker = registry.add(schema2, oldManifest(registry));
    const untouched = registry.image('a');
    const stored = registry.index([
      { ...docker, ...on('amd64') },
      attestationOf(registry, docker),
      { ...untouched, ...on('arm') },
      attestationOf(registry, untouched),
    ]);
    const converted = await to(registry, stored, 'oci');
    expect(parsed(converted).manifests).toHaveLength(3);
    expect(converted.losses.map(({ path }) => path)).toEqual(['$.manifests[1]']);
  });

  it('has uncompressed layers for a client without zstd, only for the requested platform', async () => {
    const registry = new MemoryRegistry();
    const stored = registry.index([
      { ...registry.image('a', 'amd64', ociLayerZstd), ...on('amd64') },
      { ...registry.image('b', 'arm', ociLayerZstd), ...on('arm') },
      { ...registry.image('c', 'arm64'), ...on('arm64') },
    ]);
    const layersOf = { os: 'linux', architecture: 'amd64' };
    const converted = await to(registry, stored, 'oci', { unpackZstd: true, layersOf });
    expect(parsed(converted).manifests).toHaveLength(2);
    expect(converted.losses).toMatchObject([
      { path: '$.manifests[1]', reason: expect.stringContaining('linux/amd64') },
    ]);
    expect(converted.children[0]?.blobs).toMatchObject([{ kind: 'layer', digest: diffIdOf('a'), size: 100 }]);
  });
});

function oldManifest(registry: MemoryRegistry) {
  const image = JSON.parse(new TextDecoder().decode(registry.bytes(registry.image('old').digest)));
  const layers = image.layers.map((layer: object) => ({ ...layer, mediaType: mediaTypes.dockerLayerGzip }));
  return { ...image, mediaType: schema2, config: { ...image.config, mediaType: dockerConfig }, layers };
}

describe('an index as a fat generic manifest', () => {
  it('has all details of the platforms in labels and in the target', async () => {
    const registry = new MemoryRegistry();
    const details = { variant: 'v8', 'os.version': '1.2', 'os.features': ['a', 'b'] };
    const stored = registry.index([{ ...registry.image('a'), ...on('arm64', details) }], {
      annotations: { on: 'index' },
    });
    const converted = await to(registry, stored, 'generic');
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

  it('becomes an index with the same platforms', async () => {
    const registry = new MemoryRegistry();
    const platform = {
      architecture: 'arm64',
      os: 'linux',
      'os.version': '1.2',
      'os.features': ['a', 'b'],
      variant: 'v8',
    };
    const generic = await to(registry, registry.index([{ ...registry.image('a'), platform }]), 'generic');
    for (const child of generic.children) registry.add(child.mediaType, new TextDecoder().decode(child.body));
    const again = registry.add(mediaTypes.generic, new TextDecoder().decode(generic.body));
    expect(parsed(await to(registry, again, 'oci')).manifests[0].platform).toEqual(platform);
  });

  it('reports members of a platform without a label', async () => {
    const registry = new MemoryRegistry();
    const stored = registry.index([{ ...registry.image('a'), ...on('amd64', { features: ['sse4'] }) }]);
    const { losses } = await to(registry, stored, 'generic');
    expect(losses).toMatchObject([{ kind: 'platform', path: '$.manifests[0].platform.features' }]);
  });
});

describe('a fat generic manifest', () => {
  const fat = (registry: MemoryRegistry, target: unknown, dependencies: readonly object[]) =>
    registry.add(mediaTypes.generic, {
      schemaVersion: 2,
      target: registry.add(genericFatTarget, target),
      dependencies,
    });

  it('gets its platforms from the platform table in the target', async () => {
    const registry = new MemoryRegistry();
    const image = registry.image('a', '');
    const table = [{ os: 'linux', arch: 'arm', variant: 'v7', manifestDigest: image.digest }];
    const stored = fat(registry, table, [{ ...image, mediaType: dockerConfig }]);
    expect(parsed(await to(registry, stored, 'oci')).manifests[0].platform).toEqual({
      architecture: 'arm',
      os: 'linux',
      variant: 'v7',
    });
  });

  it('gets the platform of an entry without labels from the table, and keeps that of another one', async () => {
    const registry = new MemoryRegistry();
    const [bare, labelled] = [registry.image('a', ''), registry.image('b', '')];
    const rows = [bare, labelled].map(({ digest }) => ({ os: 'linux', arch: 'arm', manifestDigest: digest }));
    const stored = fat(registry, rows, [
      { ...bare, mediaType: dockerConfig },
      { ...labelled, mediaType: dockerConfig, labels: { os: 'linux', arch: 's390x' } },
    ]);
    const { manifests } = parsed(await to(registry, stored, 'oci'));
    const architectures = manifests.map(({ platform }: ReturnType<typeof on>) => platform.architecture);
    expect(architectures).toEqual(['arm', 's390x']);
  });

  it.each([[{ description: 'no table' }], ['text, and no table']])(
    'gets its platforms from configs if labels and a target of %j name none',
    async (target) => {
      const registry = new MemoryRegistry();
      const stored = fat(registry, target, [{ ...registry.image('a', 'arm'), mediaType: dockerConfig }]);
      const { manifests } = parsed(await to(registry, stored, 'schema2'));
      expect(manifests[0].platform).toEqual({ architecture: 'arm', os: 'linux' });
    },
  );

  it('is refused if its platform table is invalid', async () => {
    const registry = new MemoryRegistry();
    const stored = fat(registry, [{ os: 'linux' }], [registry.image('a')]);
    await expect(to(registry, stored, 'oci')).rejects.toMatchObject({ code: 'INVALID', dialect: 'generic' });
  });

  it('keeps its bytes as a fat generic manifest', async () => {
    const registry = new MemoryRegistry();
    const child = await convertOne(registry, registry.image('a'));
    const stored = fat(registry, {}, [
      { ...child, mediaType: dockerConfig, labels: { os: 'linux', arch: 'amd64' } },
    ]);
    expect((await to(registry, stored, 'generic')).body).toEqual(registry.bytes(stored.digest));
  });
});

async function convertOne(registry: MemoryRegistry, stored: StoredDescriptor): Promise<StoredDescriptor> {
  const { body, mediaType } = await convert(registry.read(stored), 'generic', registry.context);
  return registry.add(mediaType, new TextDecoder().decode(body));
}

describe('a tree of indexes', () => {
  function nested(registry: MemoryRegistry, depth: number): StoredDescriptor {
    let stored = registry.index([{ ...registry.image('a'), ...on('amd64') }]);
    for (let level = 1; level < depth; level += 1) stored = registry.index([stored]);
    return stored;
  }

  it.each(['schema2', 'oci', 'generic'] as const)(
    'is converted up to a depth of eight, as %s',
    async (form) => {
      const registry = new MemoryRegistry();
      await to(registry, nested(registry, 8), form);
      await expect(to(registry, nested(registry, 9), form)).rejects.toMatchObject({ code: 'LIMIT' });
    },
  );

  it('has one limit for all manifests together', async () => {
    const registry = new MemoryRegistry();
    const wide = registry.index(
      Array.from({ length: 500 }, () => ({ ...registry.image('a'), ...on('amd64') })),
    );
    await expect(to(registry, registry.index([wide, wide]), 'oci')).rejects.toMatchObject({ code: 'LIMIT' });
  });

  it('has one limit for the bytes of all manifests together', async () => {
    const registry = new MemoryRegistry();
    const image = JSON.parse(new TextDecoder().decode(registry.bytes(registry.image('a').digest)));
    const large = registry.add(ociManifest, { ...image, annotations: { a: 'x'.repeat(4_000_000) } });
    const times = (count: number) =>
      registry.index(Array.from({ length: count }, () => ({ ...large, ...on('amd64') })));
    expect((await to(registry, times(8), 'generic')).children).toHaveLength(8);
    const refused = {
      code: 'LIMIT',
      message: expect.stringMatching(/Found \d+ bytes of manifests\. Expected at most 33554432 bytes/),
    };
    await expect(to(registry, times(1000), 'generic')).rejects.toMatchObject(refused);
    await expect(to(registry, registry.index([times(5), times(5)]), 'schema2')).rejects.toMatchObject(
      refused,
    );
    expect(registry.calls).toBeLessThan(60);
  });

  it('is refused if an index contains itself', async () => {
    const registry = new MemoryRegistry();
    const inner = registry.index([{ ...registry.image('a'), ...on('amd64') }]);
    const outer = registry.index([inner]);
    // No index can contain its own digest, and a port with wrong bytes fails the digest check first.
    const read = indexOn(registry, outer);
    const loop = { ...read, source: { ...read.source, digest: inner.digest } };
    await expect(convertIndex(loop, 'oci', registry.context)).rejects.toMatchObject({
      code: 'INEXPRESSIBLE',
      message: expect.stringContaining('contains itself'),
    });
  });

  it('is fetched with at most six concurrent calls, at all depths together', async () => {
    const registry = new MemoryRegistry();
    const leaf = (name: string) =>
      registry.index(
        Array.from({ length: 6 }, (_, at) => ({ ...registry.image(`${name} ${at}`), ...on('amd64') })),
      );
    const stored = registry.index(Array.from({ length: 6 }, (_, at) => leaf(`leaf ${at}`)));
    await to(registry, stored, 'schema2');
    expect(registry.calls).toBeGreaterThan(36);
    expect(registry.busiest).toBe(6);
  });

  it('starts no fetch after an error', async () => {
    const registry = new MemoryRegistry();
    const images = Array.from({ length: 100 }, (_, at) => ({
      ...registry.image(`image ${at}`),
      ...on('amd64'),
    }));
    const [first] = images;
    if (first) registry.spoil(first.digest);
    await expect(to(registry, registry.index(images), 'schema2')).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
    });
    await settled(50);
    expect(registry.calls).toBeLessThan(20);
  });
});

describe('one image of an index', () => {
  const amd64 = { os: 'linux', architecture: 'amd64' };

  it('is found in an inner index, after attestations and artifacts', async () => {
    const registry = new MemoryRegistry();
    const image = registry.image('a');
    const entries = [
      attestationOf(registry, image),
      { ...registry.image('artifact'), artifactType: 'application/x', ...on('amd64') },
      { ...image, ...on('amd64') },
    ];
    const stored = registry.index([registry.index(entries)]);
    expect((await chooseImage(indexOn(registry, stored), amd64, registry.context.ports)).source.digest).toBe(
      image.digest,
    );
  });

  it('is found by its config if no entry has a platform', async () => {
    const registry = new MemoryRegistry();
    const image = registry.image('a', 'amd64');
    const stored = registry.index([registry.image('b', 'arm'), image]);
    expect((await chooseImage(indexOn(registry, stored), amd64, registry.context.ports)).source.digest).toBe(
      image.digest,
    );
  });

  it('is missing: the error names the available platforms', async () => {
    const registry = new MemoryRegistry();
    const stored = registry.index([{ ...registry.image('a', 'arm'), ...on('arm', { variant: 'v7' }) }]);
    await expect(chooseImage(indexOn(registry, stored), amd64, registry.context.ports)).rejects.toMatchObject(
      {
        code: 'NO_PLATFORM',
        found: 'linux/arm/v7',
      },
    );
  });

  it('is missing: an entry that is no image is not one of the available platforms', async () => {
    const registry = new MemoryRegistry();
    const policy = {
      schemaVersion: 2,
      config: registry.add('application/vnd.example.policy', {}),
      layers: [registry.layer('application/vnd.example.rules', 'rules')],
    };
    const entry = registry.add(mediaTypes.ociManifest, policy);
    const [labelled, arm] = [
      { ...entry, ...on('amd64') },
      { ...registry.image('a', 'arm'), ...on('arm') },
    ];
    for (const [entries, found] of [
      [[labelled, arm], 'linux/arm'],
      [[labelled, entry], 'no image at all'],
    ] as const) {
      const stored = registry.index(entries);
      await expect(
        chooseImage(indexOn(registry, stored), amd64, registry.context.ports),
      ).rejects.toMatchObject({ code: 'NO_PLATFORM', found });
    }
  });

  it('is searched in a limited number of manifests', async () => {
    const registry = new MemoryRegistry();
    let stored = registry.index([{ ...registry.image('b', 'arm'), ...on('arm') }]);
    for (let level = 0; level < 8; level += 1) stored = registry.index([stored]);
    await expect(chooseImage(indexOn(registry, stored), amd64, registry.context.ports)).rejects.toMatchObject(
      {
        code: 'LIMIT',
      },
    );
  });

  it.each(['schema1', 'v1', 'other'])('must be selected before a conversion to %s', async (form) => {
    const registry = new MemoryRegistry();
    const stored = registry.index([{ ...registry.image('a'), ...on('amd64') }]);
    await expect(to(registry, stored, form as IndexForm)).rejects.toMatchObject({ code: 'INEXPRESSIBLE' });
    await expect(convert(registry.read(stored), form as 'schema1', registry.context)).rejects.toMatchObject({
      code: 'INEXPRESSIBLE',
    });
  });
});
