import { describe, expect, it } from 'vitest';
import {
  type ConversionContext,
  convertImage,
  convertIndex,
  digestOf,
  type Image,
  type Index,
  type LayerFacts,
  mediaTypes,
  readManifest,
} from '../../converters/index.ts';
import { noPorts } from '../support/converters/no-ports.ts';

const encode = (text: string) => new TextEncoder().encode(text);
const json = (value: unknown, indent = 4) => JSON.stringify(value, null, indent);
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const digest = (seed: string) => digestOf(encode(seed));

const { genericLayer, dockerConfig, genericFatTarget } = mediaTypes;
const [first, second, third, fourth] = [
  'sha256:b5b2b2c507a0944348e0303114d8d93aaaa081732b86451d9bce1f432a537bc7',
  'sha256:e692418e4cbaf90ca69d05a66403747baa33ee08806650b51fab815ad7fc331f',
  'sha256:3c3a4604a545cdc127456d94e421cd355bca5b528f4a9c1905b15da2eb4a4c6b',
  'sha256:ec4b8955958665577945c89419d1af06b5f7636b4ac3da7f12184802ad867736',
];

/** The example in distribution proposal 62. Its digest proves that it is unchanged. */
const proposal62 = json({
  schemaVersion: 2,
  target: { mediaType: dockerConfig, length: 7023, digest: first },
  dependencies: [
    { mediaType: genericLayer, length: 32654, digest: second },
    { mediaType: genericLayer, length: 16724, digest: third },
    { mediaType: genericLayer, length: 73109, digest: fourth },
  ],
  labels: { createdAt: '2015-06-16T16:29:07.952493971-07:00', version: '3.1.4-a159+265' },
});

function image(value: unknown): Image {
  const model = readManifest(encode(typeof value === 'string' ? value : json(value)));
  if (model.kind !== 'image') throw new Error('an index');
  return model;
}

function index(value: unknown): Index {
  const model = readManifest(encode(json(value)));
  if (model.kind !== 'index') throw new Error('an image');
  return model;
}

const texts = (labels: Image['labels']) =>
  Object.fromEntries([...labels].map(([key, { text }]) => [key, text]));

describe('the example of proposal 62', () => {
  it('has the digest that proves it unchanged', () => {
    expect(encode(proposal62)).toHaveLength(1076);
    expect(digest(proposal62)).toBe(
      'sha256:289ba0d73cec55b385552af5fa82265a19911bbd641f871227ecaa96aadd358a',
    );
  });

  it('is read: length is the size, and the manifest has the labels', () => {
    const { target, dependencies, labels, source } = image(proposal62);
    expect(target).toMatchObject({ descriptor: { size: 7023, digest: first } });
    expect(dependencies.map(({ size }) => size)).toEqual([32654, 16724, 73109]);
    expect(texts(labels)).toEqual({
      createdAt: '2015-06-16T16:29:07.952493971-07:00',
      version: '3.1.4-a159+265',
    });
    expect(source.mediaType).toBe(mediaTypes.generic);
  });

  it('keeps its bytes as a generic manifest', async () => {
    expect(text((await convertImage(image(proposal62), 'generic', noPorts)).body)).toBe(proposal62);
  });
});

describe('the examples of proposal 993', () => {
  const labels = { createdAt: '2015-09-16T16:29:07.952493971-07:00', version: '3.1.4-a159+265' };
  const single = {
    schemaVersion: 2,
    target: { mediaType: dockerConfig, size: 7023, digest: first, labels },
    dependencies: [{ mediaType: genericLayer, size: 32654, digest: second }],
  };
  const fat = {
    schemaVersion: 2,
    target: { mediaType: genericFatTarget, size: 7023, digest: first },
    dependencies: [
      { mediaType: dockerConfig, size: 7143, digest: second, labels: { os: 'linux', arch: 'ppc64le' } },
      { mediaType: dockerConfig, size: 7144, digest: third, labels: { os: 'linux', arch: 'amd64' } },
    ],
  };

  it.each([
    ['of one image', single],
    ['of a fat one', fat],
  ])('are no JSON as they are printed, %s: a comma trails', (_, value) => {
    const printed = json(value).replace(/\n}$/, ',\n}');
    const refusal = { code: 'UNREADABLE', expected: 'a key in double quotes' };
    expect(() => readManifest(encode(printed))).toThrow(expect.objectContaining(refusal));
    expect(() => readManifest(encode(printed))).toThrow(`line ${printed.split('\n').length}, column 1`);
  });

  it('are read without the syntax error: the descriptors have the labels', () => {
    const { target } = image(single);
    expect(target.kind === 'config' && texts(target.descriptor.labels)).toEqual(labels);
    expect(index(fat).dependencies.map(({ platform }) => platform)).toMatchObject([
      { os: 'linux', architecture: 'ppc64le' },
      { os: 'linux', architecture: 'amd64' },
    ]);
  });
});

describe('a descriptor', () => {
  const withTarget = (target: object) => ({
    schemaVersion: 2,
    target: { mediaType: dockerConfig, ...target },
  });

  it('may have size and length alike', () => {
    const read = image(withTarget({ digest: first, size: 7, length: 7 }));
    expect(read.target).toMatchObject({ descriptor: { size: 7 } });
  });

  it.each([
    ['a size and a length that differ', { digest: first, size: 7, length: 8 }],
    ['neither', { digest: first }],
    ['a negative length', { digest: first, length: -7 }],
    ['a digest of another kind', { digest: 'md5:d41d8cd98f00b204e9800998ecf8427e', size: 1 }],
  ])('is refused with %s', (_, target) => {
    expect(() => image(withTarget(target))).toThrow(
      expect.objectContaining({ code: 'INVALID', dialect: 'generic' }),
    );
  });

  it('must have a size outside of the generic dialect', () => {
    const config = { mediaType: mediaTypes.ociConfig, digest: first, length: 7 };
    expect(() => image({ schemaVersion: 2, config, layers: [] })).toThrow(
      expect.objectContaining({ code: 'INVALID' }),
    );
  });
});

describe('the order of layers', () => {
  /** A context and a target for an image with these diff_ids. */
  function context(diffIds: readonly string[]): { context: ConversionContext; target: object } {
    const config = encode(
      json({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: diffIds } }),
    );
    return {
      target: { mediaType: dockerConfig, size: config.length, digest: digestOf(config) },
      context: {
        ...noPorts,
        ports: { ...noPorts.ports, fetchBlob: async () => config, sniffLayer: async () => 'gzip' as const },
      },
    };
  }

  async function layersOf(diffIds: readonly string[], listed: readonly string[]): Promise<string[]> {
    const { context: ports, target } = context(diffIds.map(digest));
    const dependencies = listed.map((seed) => ({ mediaType: genericLayer, size: 1, digest: digest(seed) }));
    const converted = await convertImage(image({ schemaVersion: 2, target, dependencies }), 'oci', ports);
    const { layers } = JSON.parse(text(converted.body)) as {
      layers: { digest: string; mediaType: string }[];
    };
    const seeds = new Map([...diffIds, ...listed].map((seed) => [digest(seed) as string, seed]));
    return layers.map(
      (layer) => `${seeds.get(layer.digest)}${layer.mediaType.endsWith('gzip') ? ' gzip' : ''}`,
    );
  }

  it.each([
    ['is the order of the target for uncompressed layers', ['a', 'b', 'c'], ['c', 'a', 'b'], ['a', 'b', 'c']],
    [
      'is the order of the target if a layer is used twice and listed once',
      ['a', 'b', 'a'],
      ['b', 'a'],
      ['a', 'b', 'a'],
    ],
    ['is the order of the list for compressed layers', ['a', 'b'], ['y', 'x'], ['y gzip', 'x gzip']],
    [
      'is the order of the target for layers that it names, and of the list for the others',
      ['a', 'b', 'c'],
      ['c', 'x', 'y'],
      ['x gzip', 'y gzip', 'c'],
    ],
  ])('%s', async (_, diffIds, listed, expected) => {
    expect(await layersOf(diffIds, listed)).toEqual(expected);
  });

  it.each([
    [['a', 'b'], ['a']],
    [['a'], ['a', 'x']],
    [
      ['a', 'b'],
      ['x', 'y', 'z'],
    ],
  ])('is refused for diff_ids %j and layers %j', async (diffIds, listed) => {
    await expect(layersOf(diffIds, listed)).rejects.toMatchObject({
      code: 'INVALID',
      path: '$.dependencies',
    });
  });

  it('leaves out dependencies that are not layers', async () => {
    const { context: ports, target } = context([digest('a')]);
    const dependencies = [
      { mediaType: 'text/plain', size: 1, digest: digest('licence') },
      { mediaType: mediaTypes.generic, size: 1, digest: digest('another manifest') },
      { mediaType: genericLayer, size: 1, digest: digest('a') },
    ];
    const read = image({ schemaVersion: 2, target, dependencies });
    expect(read.attachments.map(({ mediaType }) => mediaType)).toEqual(['text/plain', mediaTypes.generic]);
    const converted = await convertImage(read, 'oci', ports);
    expect(JSON.parse(text(converted.body)).layers).toHaveLength(1);
    expect(converted.losses.map(({ kind, path }) => `${kind} ${path}`)).toEqual([
      'attachments $.dependencies[0]',
      'attachments $.dependencies[1]',
    ]);
  });
});

describe('labels', () => {
  const labels = '{"z":"text","10":1.50,"2":{"a":[1,2]},"__proto__":"x"}';
  const oci = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, size: 2, digest: digest('c'), annotations: { on: 'config' } },
    layers: [
      { mediaType: mediaTypes.ociLayerGzip, size: 1, digest: digest('l'), annotations: { on: 'layer' } },
    ],
    annotations: { on: 'manifest' },
  };

  it('become annotations in OCI, and labels again', async () => {
    const generic = (await convertImage(image(oci), 'generic', noPorts)).body;
    expect(JSON.parse(text(generic))).toMatchObject({
      target: { labels: { on: 'config' } },
      dependencies: [{ labels: { on: 'layer' } }],
      labels: { on: 'manifest' },
    });
    const config = encode(`{"rootfs":{"type":"layers","diff_ids":["${digest('d')}"]}}`);
    const withConfig = image(
      text(generic).replace(digest('c'), digestOf(config)).replace('"size": 2', `"size": ${config.length}`),
    );
    const ports = { ...noPorts.ports, fetchBlob: async () => config };
    const back = (await convertImage(withConfig, 'oci', { ...noPorts, ports })).body;
    expect(JSON.parse(text(back))).toMatchObject({
      config: { annotations: { on: 'config' } },
      layers: [{ annotations: { on: 'layer' } }],
      annotations: { on: 'manifest' },
    });
  });

  it('and annotations of a manifest, of its target and of a layer are kept together', async () => {
    const config = encode(`{"rootfs":{"type":"layers","diff_ids":["${digest('d')}"]}}`);
    const both = { labels: { a: 'label', b: 1 }, annotations: { a: 'annotation', c: 'x' } };
    const stored = {
      schemaVersion: 2,
      target: { mediaType: dockerConfig, size: config.length, digest: digestOf(config), ...both },
      dependencies: [{ mediaType: mediaTypes.dockerLayerGzip, size: 1, digest: digest('a'), ...both }],
      ...both,
    };
    const ports = { ...noPorts.ports, fetchBlob: async () => config };
    const converted = await convertImage(image(json(stored)), 'oci', { ...noPorts, ports });
    const annotations = { a: 'label', b: '1', c: 'x' };
    expect(JSON.parse(text(converted.body))).toMatchObject({
      config: { annotations },
      layers: [{ annotations }],
      annotations,
    });
    expect(converted.losses).toEqual([]);
  });

  it('of any JSON type become annotations with the JSON text, in the same order', async () => {
    const config = encode('{}');
    const target = { mediaType: dockerConfig, size: 2, digest: digestOf(config) };
    const source = json({ schemaVersion: 2, target, dependencies: [], labels: 0 }, 0).replace(
      '"labels":0',
      `"labels":${labels}`,
    );
    const ports = { ...noPorts.ports, fetchBlob: async () => config };
    const { body } = await convertImage(image(source), 'oci', { ...noPorts, ports });
    expect(text(body)).toContain(
      '"annotations":{"z":"text","10":"1.50","2":"{\\"a\\":[1,2]}","__proto__":"x"}}',
    );
  });

  it('of any JSON type stay unchanged in a new fat manifest', async () => {
    const child = encode(json(oci));
    const entry = { mediaType: mediaTypes.ociManifest, size: child.length, digest: digestOf(child) };
    const fat = encode(
      json(
        {
          schemaVersion: 2,
          target: { mediaType: genericFatTarget, size: 2, digest: digest('t') },
          dependencies: [entry],
        },
        0,
      ).replace(/}]}$/, `,"labels":{"os":"linux","arch":"arm",${labels.slice(1)}}]}`),
    );
    const ports = { ...noPorts.ports, fetchManifest: async () => child };
    const { body } = await convertIndex(readManifest(fat) as Index, 'generic', { ...noPorts, ports });
    expect(text(body).replaceAll(/\s/g, '')).toContain(
      `"labels":{"z":"text","10":1.50,"2":{"a":[1,2]},"__proto__":"x","os":"linux","arch":"arm"}`,
    );
  });
});

describe('a target of 2015, a bare v1 image JSON', () => {
  const v1 = {
    id: 'a'.repeat(64),
    parent: 'b'.repeat(64),
    created: '2015-11-20T12:00:00Z',
    architecture: 'amd64',
    os: 'linux',
  };
  const config = encode(json(v1));
  const dependencies = ['x', 'y'].map((seed) => ({
    mediaType: genericLayer,
    length: 9,
    digest: digest(seed),
  }));
  const manifest = {
    schemaVersion: 2,
    target: { mediaType: dockerConfig, length: config.length, digest: digestOf(config) },
    dependencies,
  };
  const facts = (seed: string): LayerFacts => ({
    compression: 'gzip',
    packedSize: 9,
    size: 99,
    diffId: digest(`${seed} unpacked`),
  });
  const known = new Map([
    [digest('x'), facts('x')],
    [digest('y'), facts('y')],
  ]);
  const ports = {
    ...noPorts.ports,
    fetchBlob: async () => config,
    layerFacts: async (layer: { digest: string }) => known.get(layer.digest as never) ?? facts('none'),
  };

  it('is not the config of an image without layers, from which Docker leaves out diff_ids: it stays', async () => {
    const history = [{ created: '2024-01-01T00:00:00Z', created_by: 'LABEL a=b', empty_layer: true }];
    const config = encode(json({ os: 'linux', rootfs: { type: 'layers' }, history }));
    const target = { mediaType: dockerConfig, size: config.length, digest: digestOf(config) };
    const ports = { ...noPorts.ports, fetchBlob: async () => config };
    const stored = image(json({ schemaVersion: 2, target, dependencies: [] }));
    const { body, blobs } = await convertImage(stored, 'schema2', { ...noPorts, ports });
    expect(JSON.parse(text(body)).config).toEqual(target);
    expect(blobs).toEqual([]);
  });

  it('becomes a config with diff_ids in OCI and schema 2, which the result contains', async () => {
    const { body, blobs } = await convertImage(image(manifest), 'schema2', { ...noPorts, ports });
    const [made] = blobs;
    expect(made?.kind).toBe('config');
    expect(JSON.parse(text(body)).config.digest).toBe(made?.digest);
    expect(made?.kind === 'config' && JSON.parse(text(made.bytes))).toEqual({
      architecture: 'amd64',
      created: v1.created,
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: [facts('x').diffId, facts('y').diffId] },
      history: [{ created: v1.created }, { created: v1.created }],
    });
  });

  it('stays unchanged in the generic dialect, without reading a layer', async () => {
    const { body, blobs } = await convertImage(image(manifest), 'generic', noPorts);
    expect(text(body)).toBe(json(manifest));
    expect(blobs).toEqual([]);
  });
});
