import { describe, expect, it } from 'vitest';
import {
  type ConversionContext,
  ConversionError,
  convert,
  convertImage,
  convertIndex,
  convertToRegistryV1,
  digestOf,
  type Form,
  type Image,
  type Index,
  mediaTypes,
  readImageConfig,
  readManifest,
  verifyDigest,
  verifySchema1,
} from '../../converters/index.ts';
import { MemoryRegistry, on } from '../support/converters/memory-registry.ts';

const shared = new Uint8Array(new SharedArrayBuffer(4));
const odd: readonly unknown[] = [
  ...[undefined, null, 'text', 1, {}, [], new ArrayBuffer(4), shared, Promise.resolve()],
];

async function refusalOf(work: () => unknown): Promise<ConversionError> {
  try {
    await work();
  } catch (error) {
    if (error instanceof ConversionError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('the message of an error', () => {
  it.each([
    ['It is gone.', 'Found It is gone.'],
    ['a text that was cut...', 'Found a text that was cut....'],
    ['a value', 'Found a value.'],
  ])('has one full stop after %s', (found, expected) => {
    const { message } = new ConversionError({ code: 'INVALID', message: 'No.', found });
    expect(message).toBe(`No. ${expected}`);
  });
});

describe('programs in JavaScript', () => {
  it.each(odd.map((value) => [value]))('get a ConversionError for %s instead of bytes', async (value) => {
    expect(await refusalOf(() => readManifest(value as Uint8Array))).toMatchObject({ code: 'UNREADABLE' });
    expect(await refusalOf(() => readImageConfig(value as Uint8Array))).toMatchObject({ code: 'UNREADABLE' });
  });

  it('get a ConversionError for bytes in place of a model, and for a context without its parts', async () => {
    const registry = new MemoryRegistry();
    const { bytes } = registry.read(registry.image('a')).source;
    const { context } = registry;
    const refusals = [
      () => verifySchema1(bytes as never),
      () => verifyDigest(bytes, 'latest' as never, 'manifest'),
      () => convert(bytes, 'schema1', undefined as never),
      () => convert(bytes, 'schema1', {} as never),
      () => convert(bytes, 'schema1', { ...context, name: 5 as never }),
      () => convert(bytes, 'schema1', { ...context, tag: undefined as never }),
    ];
    const found = await Promise.all(refusals.map(async (work) => (await refusalOf(work)).message));
    expect(found).toEqual([
      'A model of a manifest cannot be read. Found object. Expected the result of readManifest.',
      expect.stringMatching(/^A digest cannot be read\. Found "latest"\./),
      'The ports of a conversion cannot be read. Found undefined. Expected an object.',
      'The ports of a conversion cannot be read. Found undefined. Expected an object.',
      'The name of a conversion cannot be read. Found number. Expected a string.',
      'The tag of a conversion cannot be read. Found undefined. Expected a string.',
    ]);
  });

  it.each(odd.map((value) => [value]))(
    'get a ConversionError when a port returns %s instead of bytes',
    async (value) => {
      const registry = new MemoryRegistry();
      const index = registry.read(registry.index([{ ...registry.image('a'), ...on('amd64') }])) as Index;
      const image = registry.read(registry.image('a')) as Image;
      const ports = {
        ...registry.context.ports,
        fetchManifest: async () => value,
        fetchBlob: async () => value,
      };
      const context = { ...registry.context, ports } as ConversionContext;
      expect(await refusalOf(() => convertIndex(index, 'schema2', context))).toMatchObject({
        code: 'INEXPRESSIBLE',
      });
      for (const work of [
        () => convertImage(image, 'schema1', context),
        () => convertToRegistryV1(image, context),
      ]) {
        expect(await refusalOf(work)).toMatchObject({ code: 'UNREADABLE' });
      }
    },
  );

  it.each(['schema3', '', 'constructor', '__proto__', undefined])(
    'get a ConversionError for the form %s',
    async (form) => {
      const registry = new MemoryRegistry();
      const stored = registry.image('a');
      const refusal = await refusalOf(() => convert(registry.read(stored), form as Form, registry.context));
      expect(refusal).toMatchObject({ code: 'INEXPRESSIBLE', expected: 'schema1, schema2, oci, generic' });
    },
  );

  it.each(odd.map((value) => [value]))('get a ConversionError when they convert %s', async (value) => {
    await refusalOf(() => convert(value as Uint8Array, 'oci', new MemoryRegistry().context));
  });
});

describe('a ConversionError', () => {
  it('has the path, the value found and the expected one, in its message and as members', async () => {
    const manifest = {
      schemaVersion: 2,
      config: { mediaType: mediaTypes.ociConfig, size: '7', digest: 'x' },
      layers: [],
    };
    const bytes = new TextEncoder().encode(JSON.stringify(manifest));
    const refusal = await refusalOf(() => readManifest(bytes, mediaTypes.schema2));
    expect(refusal).toMatchObject({
      name: 'ConversionError',
      code: 'INVALID',
      dialect: 'schema2',
      path: '$.config.digest',
      found: '"\\"x\\""',
    });
    expect(refusal.message).toBe(
      'A digest cannot be read at $.config.digest. Found "\\"x\\"". Expected sha256: and 64 lower-case hex digits.',
    );
    expect(refusal).toBeInstanceOf(Error);
  });

  it('quotes at most 80 characters of the value found', async () => {
    const bytes = new TextEncoder().encode(JSON.stringify({ schemaVersion: 'x'.repeat(10_000), config: {} }));
    expect((await refusalOf(() => readManifest(bytes))).message.length).toBeLessThan(300);
  });

  it('has a path in the config if the config is invalid', async () => {
    const registry = new MemoryRegistry();
    const config = registry.add(mediaTypes.ociConfig, '{"history":[{"created":"yesterday"}]}');
    const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [] };
    const image = registry.read(registry.add(mediaTypes.ociManifest, manifest)) as Image;
    expect(await refusalOf(() => convertImage(image, 'schema1', registry.context))).toMatchObject({
      code: 'INVALID',
      path: '$.history[0].created',
      found: '"\\"yesterday\\""',
    });
  });

  it('counts the entries of a history that names more layers than there are', async () => {
    const registry = new MemoryRegistry();
    const layer = registry.layer(mediaTypes.ociLayerGzip, 'a');
    const created = '2024-01-01T00:00:00Z';
    const history = [{ created }, { created, empty_layer: true }, { created }, { created }];
    const config = registry.add(mediaTypes.ociConfig, { history });
    const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [layer] };
    const image = registry.read(registry.add(mediaTypes.ociManifest, manifest)) as Image;
    expect(await refusalOf(() => convertImage(image, 'schema1', registry.context))).toMatchObject({
      code: 'INVALID',
      path: '$.history',
      found: '3 entries with a layer',
      expected: 'at most 1, one for each layer of the manifest',
    });
  });

  it('is thrown for a config of another digest, and not for one of another length', async () => {
    const registry = new MemoryRegistry();
    const stored = registry.add(mediaTypes.ociConfig, '{}');
    const convert = (config: { readonly digest: string; readonly size: number }) => {
      const document = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, layers: [] };
      const described = { mediaType: mediaTypes.ociConfig, ...config };
      const manifest = registry.add(mediaTypes.ociManifest, { ...document, config: described });
      const ports = { ...registry.context.ports, fetchBlob: async () => registry.bytes(stored.digest) };
      return convertImage(registry.read(manifest) as Image, 'schema1', { ...registry.context, ports });
    };
    const other = { ...stored, digest: digestOf(new Uint8Array()) };
    expect(await refusalOf(() => convert(other))).toMatchObject({ code: 'DIGEST_MISMATCH' });
    await expect(convert({ ...stored, size: stored.size + 1 })).rejects.toThrow('requested a key');
  });

  it('is thrown in every form for a config of an uncertain type that is not an image config', async () => {
    const registry = new MemoryRegistry();
    const config = registry.add('application/octet-stream', '{"name":"model"}');
    const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [] };
    const image = registry.read(registry.add(mediaTypes.ociManifest, manifest)) as Image;
    for (const form of ['schema1', 'schema2', 'generic'] as const) {
      expect(await refusalOf(() => convertImage(image, form, registry.context))).toMatchObject({
        code: 'NOT_AN_IMAGE',
      });
    }
  });
});

describe('an image that a form cannot hold is refused', () => {
  const layered = (layerType: string) => {
    const registry = new MemoryRegistry();
    return { registry, image: registry.read(registry.image('a', 'amd64', layerType)) as Image };
  };

  it.each([
    ['an encrypted layer', `${mediaTypes.ociLayerGzip}+encrypted`, 'schema1'],
    ['an encrypted layer', `${mediaTypes.ociLayerGzip}+encrypted`, 'schema2'],
    ['a foreign layer', mediaTypes.ociForeignGzip, 'schema1'],
    ['a foreign zstd layer', mediaTypes.ociForeignZstd, 'schema2'],
  ] as const)('%s (%s) in %s', async (_, layerType, form) => {
    const { registry, image } = layered(layerType);
    const refusal = await refusalOf(() => convertImage(image, form, registry.context));
    expect(refusal).toMatchObject({ code: 'INEXPRESSIBLE', dialect: form });
    expect(refusal.message.split('. ')[0]).toMatch(/^The image has an? /);
  });

  it('but OCI and the generic form keep an encrypted layer', async () => {
    const { registry, image } = layered(`${mediaTypes.ociLayerGzip}+encrypted`);
    for (const form of ['oci', 'generic'] as const) {
      const { body } = await convertImage(image, form, registry.context);
      expect(new TextDecoder().decode(body)).toContain(`${mediaTypes.ociLayerGzip}+encrypted`);
    }
  });

  it.each([
    [124, 0, undefined],
    [124, 10, undefined],
    [125, 0, 'INEXPRESSIBLE'],
  ])('%d layers and %d empty entries in schema 1: %s', async (layers, empties, code) => {
    const registry = new MemoryRegistry();
    const all = Array.from({ length: layers }, (_, at) =>
      registry.layer(mediaTypes.ociLayerGzip, String(at)),
    );
    const entry = { created: '2024-01-01T00:00:00Z' };
    const history = [
      ...Array.from({ length: empties }, () => ({ ...entry, empty_layer: true })),
      ...all.map(() => entry),
    ];
    const config = registry.add(mediaTypes.ociConfig, {
      rootfs: { diff_ids: all.map(({ digest }) => digest) },
      history,
    });
    const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: all };
    const image = registry.read(registry.add(mediaTypes.ociManifest, manifest)) as Image;
    const work = convertToRegistryV1(image, registry.context);
    if (code) await expect(work).rejects.toMatchObject({ code });
    else expect((await work).images).toHaveLength(124);
  });
});
