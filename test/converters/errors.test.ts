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
} from '../../converters/index.ts';
import { on, Shelf } from '../support/converters/shelf.ts';

const odd: readonly unknown[] = [undefined, null, 'text', 1, {}, [], new ArrayBuffer(4), Promise.resolve()];

async function refusalOf(work: () => unknown): Promise<ConversionError> {
  try {
    await work();
  } catch (error) {
    if (error instanceof ConversionError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('callers in JavaScript', () => {
  it.each(odd.map((value) => [value]))('get a ConversionError for %s in place of bytes', async (value) => {
    expect(await refusalOf(() => readManifest(value as Uint8Array))).toMatchObject({ code: 'UNREADABLE' });
    expect(await refusalOf(() => readImageConfig(value as Uint8Array))).toMatchObject({ code: 'UNREADABLE' });
  });

  it.each(odd.map((value) => [value]))('get one when a port gives %s in place of bytes', async (value) => {
    const shelf = new Shelf();
    const index = shelf.read(shelf.index([{ ...shelf.image('a'), ...on('amd64') }])) as Index;
    const image = shelf.read(shelf.image('a')) as Image;
    const ports = { ...shelf.context.ports, fetchManifest: async () => value, fetchBlob: async () => value };
    const context = { ...shelf.context, ports } as ConversionContext;
    expect(await refusalOf(() => convertIndex(index, 'schema2', context))).toMatchObject({
      code: 'INEXPRESSIBLE',
    });
    for (const work of [
      () => convertImage(image, 'schema1', context),
      () => convertToRegistryV1(image, context),
    ]) {
      expect(await refusalOf(work)).toMatchObject({ code: 'UNREADABLE' });
    }
  });

  it.each(['schema3', '', 'constructor', '__proto__', undefined])('get one for the form %s', async (form) => {
    const shelf = new Shelf();
    const stored = shelf.image('a');
    const refusal = await refusalOf(() => convert(shelf.read(stored), form as Form, shelf.context));
    expect(refusal).toMatchObject({ code: 'INEXPRESSIBLE', expected: 'schema1, schema2, oci, generic' });
  });

  it.each(odd.map((value) => [value]))('get one when what is to be converted is %s', async (value) => {
    await refusalOf(() => convert(value as Uint8Array, 'oci', new Shelf().context));
  });
});

describe('a ConversionError', () => {
  it('says where, what was found and what was expected, in a sentence and as data', async () => {
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

  it('shows no more than 80 characters of what it found', async () => {
    const bytes = new TextEncoder().encode(JSON.stringify({ schemaVersion: 'x'.repeat(10_000), config: {} }));
    expect((await refusalOf(() => readManifest(bytes))).message.length).toBeLessThan(300);
  });

  it('is of the config where the config is at fault', async () => {
    const shelf = new Shelf();
    const config = shelf.add(mediaTypes.ociConfig, '{"history":[{"created":"yesterday"}]}');
    const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [] };
    const image = shelf.read(shelf.add(mediaTypes.ociManifest, manifest)) as Image;
    expect(await refusalOf(() => convertImage(image, 'schema1', shelf.context))).toMatchObject({
      code: 'INVALID',
      path: '$.history[0].created',
      found: '"\\"yesterday\\""',
    });
  });

  it.each([
    [
      'of another digest',
      (size: number) => ({ size, digest: digestOf(new Uint8Array()) }),
      'DIGEST_MISMATCH',
    ],
    ['of another length', (size: number, digest: string) => ({ size: size + 1, digest }), 'INVALID'],
  ])('is thrown for a config %s', async (_, change, code) => {
    const shelf = new Shelf();
    const stored = shelf.add(mediaTypes.ociConfig, '{}');
    const config = { mediaType: mediaTypes.ociConfig, ...change(stored.size, stored.digest) };
    const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [] };
    const image = shelf.read(shelf.add(mediaTypes.ociManifest, manifest)) as Image;
    const ports = { ...shelf.context.ports, fetchBlob: async () => shelf.bytes(stored.digest) };
    const work = () => convertImage(image, 'schema1', { ...shelf.context, ports });
    expect(await refusalOf(work)).toMatchObject({ code });
  });

  it('is thrown for an uncertain config that is none, whatever the form', async () => {
    const shelf = new Shelf();
    const config = shelf.add('application/octet-stream', '{"name":"model"}');
    const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [] };
    const image = shelf.read(shelf.add(mediaTypes.ociManifest, manifest)) as Image;
    for (const form of ['schema1', 'schema2', 'generic'] as const) {
      expect(await refusalOf(() => convertImage(image, form, shelf.context))).toMatchObject({
        code: 'NOT_AN_IMAGE',
      });
    }
  });
});

describe('what a form cannot carry is refused', () => {
  const layered = (layerType: string) => {
    const shelf = new Shelf();
    return { shelf, image: shelf.read(shelf.image('a', 'amd64', layerType)) as Image };
  };

  it.each([
    ['an encrypted layer', `${mediaTypes.ociLayerGzip}+encrypted`, 'schema1'],
    ['an encrypted layer', `${mediaTypes.ociLayerGzip}+encrypted`, 'schema2'],
    ['a foreign layer', mediaTypes.ociForeignGzip, 'schema1'],
    ['a foreign zstd layer', mediaTypes.ociForeignZstd, 'schema2'],
  ] as const)('%s (%s) in %s', async (_, layerType, form) => {
    const { shelf, image } = layered(layerType);
    const refusal = await refusalOf(() => convertImage(image, form, shelf.context));
    expect(refusal).toMatchObject({ code: 'INEXPRESSIBLE', dialect: form });
    expect(refusal.message.split('. ')[0]).toMatch(/^The image has an? /);
  });

  it('an encrypted layer stays what it is in OCI and in the generic form', async () => {
    const { shelf, image } = layered(`${mediaTypes.ociLayerGzip}+encrypted`);
    for (const form of ['oci', 'generic'] as const) {
      const { body } = await convertImage(image, form, shelf.context);
      expect(new TextDecoder().decode(body)).toContain(`${mediaTypes.ociLayerGzip}+encrypted`);
    }
  });

  it.each([
    [124, 0, undefined],
    [124, 10, undefined],
    [125, 0, 'INEXPRESSIBLE'],
  ])('%d layers and %d empty entries in schema 1: %s', async (layers, empties, code) => {
    const shelf = new Shelf();
    const all = Array.from({ length: layers }, (_, at) => shelf.layer(mediaTypes.ociLayerGzip, String(at)));
    const entry = { created: '2024-01-01T00:00:00Z' };
    const history = [
      ...Array.from({ length: empties }, () => ({ ...entry, empty_layer: true })),
      ...all.map(() => entry),
    ];
    const config = shelf.add(mediaTypes.ociConfig, {
      rootfs: { diff_ids: all.map(({ digest }) => digest) },
      history,
    });
    const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: all };
    const image = shelf.read(shelf.add(mediaTypes.ociManifest, manifest)) as Image;
    const work = convertToRegistryV1(image, shelf.context);
    if (code) await expect(work).rejects.toMatchObject({ code });
    else expect((await work).images).toHaveLength(124);
  });
});
