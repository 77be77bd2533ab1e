import { describe, expect, it } from 'vitest';
import {
  convertImage,
  digestOf,
  type Form,
  type Image,
  mediaTypes,
  readManifest,
} from '../../converters/index.ts';
import { layOut, layouts } from '../support/converters/layouts.ts';
import { noPorts } from '../support/converters/no-ports.ts';

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const digest = (seed: string) => digestOf(new TextEncoder().encode(seed));

function image(bytes: Uint8Array): Image {
  const model = readManifest(bytes);
  if (model.kind !== 'image') throw new Error('an index');
  return model;
}

async function convert(bytes: Uint8Array, form: Form): Promise<Uint8Array> {
  const { body, losses } = await convertImage(image(bytes), form, noPorts);
  expect(losses).toEqual([]);
  return body;
}

const oci = {
  schemaVersion: 2,
  mediaType: mediaTypes.ociManifest,
  config: { mediaType: mediaTypes.ociConfig, size: 7023, digest: digest('config') },
  layers: [
    { mediaType: mediaTypes.ociLayerGzip, size: 32654, digest: digest('gzip') },
    { mediaType: mediaTypes.ociLayer, size: 16724, digest: digest('plain') },
    {
      mediaType: mediaTypes.ociForeignGzip,
      size: 9,
      digest: digest('foreign'),
      urls: ['https://example.com/x?a=1&b=<2>'],
    },
    { mediaType: mediaTypes.ociLayerZstd, size: 73109, digest: digest('zstd') },
  ],
};

const dockerTypes = [
  mediaTypes.dockerLayerGzip,
  mediaTypes.dockerLayer,
  mediaTypes.dockerForeignGzip,
  mediaTypes.dockerLayerZstd,
];

const schema2 = {
  ...oci,
  mediaType: mediaTypes.schema2,
  config: { ...oci.config, mediaType: mediaTypes.dockerConfig },
  layers: oci.layers.map((layer, index) => ({ ...layer, mediaType: dockerTypes[index] })),
};

describe.each(layouts)('in the layout of $name', (layout) => {
  it('OCI is the same byte for byte after schema 2', async () => {
    const first = layOut(layout, oci);
    const between = await convert(first, 'schema2');
    expect(JSON.parse(text(between))).toEqual(schema2);
    expect(text(await convert(between, 'oci'))).toBe(text(first));
  });

  it('schema 2 is the same byte for byte after OCI', async () => {
    const first = layOut(layout, schema2);
    const between = await convert(first, 'oci');
    expect(JSON.parse(text(between))).toEqual(oci);
    expect(text(await convert(between, 'schema2'))).toBe(text(first));
  });

  it.each([
    ['oci', oci],
    ['schema2', schema2],
  ] as const)('%s written as itself is itself', async (form, manifest) => {
    const first = layOut(layout, { ...manifest, annotations: { kept: 'yes' }, 'org.example.unknown': [1.5] });
    expect(text(await convert(first, form))).toBe(text(first));
  });
});

describe('a manifest converted to its own dialect', () => {
  it('gets no mediaType in OCI, which does not require one', async () => {
    const { mediaType: _, ...without } = oci;
    const first = layOut(layouts[1] ?? fail(), without);
    expect(text(await convert(first, 'oci'))).toBe(text(first));
  });

  it('gets a mediaType after schemaVersion in schema 2, because Docker 20.10 requires one', async () => {
    const { mediaType: _, ...without } = schema2;
    const { body } = await convertImage(
      image2(new TextEncoder().encode(JSON.stringify(without))),
      'schema2',
      noPorts,
    );
    expect(text(body)).toBe(JSON.stringify(schema2));
  });

  it('keeps an unusual config type that every client accepts', async () => {
    const odd = { ...schema2, config: { ...schema2.config, mediaType: 'application/octet-stream' } };
    const first = layOut(layouts[0] ?? fail(), odd);
    expect(text((await convertImage(image(first), 'schema2', noPorts)).body)).toBe(text(first));
  });

  it.each([
    ['schema2', { ...schema2, config: oci.config, layers: oci.layers }, schema2],
    ['oci', { ...oci, config: schema2.config, layers: schema2.layers }, oci],
  ] as const)('has the types of %s, not of the other family', async (form, mixed, right) => {
    const first = layOut(layouts[0] ?? fail(), mixed);
    expect(text(await convert(first, form))).toBe(text(layOut(layouts[0] ?? fail(), right)));
  });
});

/** Reads a schema 2 manifest without `mediaType`, by its Content-Type. */
function image2(bytes: Uint8Array): Image {
  const model = readManifest(bytes, mediaTypes.schema2);
  if (model.kind !== 'image') throw new Error('an index');
  return model;
}

function fail(): never {
  throw new Error('no such layout');
}
