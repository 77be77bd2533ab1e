import { describe, expect, it } from 'vitest';
import { imageConversions, indexConversions } from '../../converters/conversion-graph.ts';
import {
  convertImage,
  convertIndex,
  convertToRegistryV1,
  digestOf,
  type Form,
  generateSigningKey,
  type Image,
  type Index,
  type IndexForm,
  type Loss,
  mediaTypes,
  readManifest,
} from '../../converters/index.ts';
import { Shelf } from '../support/converters/shelf.ts';
import { goldenBytes } from '../support/golden.ts';

const key = generateSigningKey();
const digest = digestOf(new TextEncoder().encode('elsewhere'));
const elsewhere = { mediaType: mediaTypes.ociManifest, size: 2, digest };
const kindsOf = (losses: readonly Loss[]) => [...new Set(losses.map(({ kind }) => kind))].sort();

/** A history of 130 entries, all empty but the last: seven more than old clients can run, and the oldest go. */
function config(shelf: Shelf, mediaType: string, diffId: string) {
  const empty = Array.from({ length: 130 }, () => ({ created: '2024-01-01T00:00:00Z', empty_layer: true }));
  return shelf.add(mediaType, {
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [diffId] },
    history: [...empty, { created: '2024-01-01T00:00:00Z' }],
  });
}

/** Images of each dialect with everything that it, and no dialect, can say. */
const images: Readonly<Record<Form, (shelf: Shelf) => Image>> = {
  schema1: () => readManifest(goldenBytes('signatures/ES256.json')) as Image,
  schema2: (shelf) => {
    const layer = shelf.layer(mediaTypes.dockerLayerGzip, 'a');
    return read(shelf, mediaTypes.schema2, {
      config: config(shelf, mediaTypes.dockerConfig, layer.digest),
      layers: [{ ...layer, urls: ['https://example.com'] }],
      'org.example': 1,
    });
  },
  oci: (shelf) => {
    const layer = shelf.layer(mediaTypes.ociLayerGzip, 'a');
    return read(shelf, mediaTypes.ociManifest, {
      config: { ...config(shelf, mediaTypes.ociConfig, layer.digest), data: 'e30=' },
      layers: [{ ...layer, urls: ['https://example.com'], annotations: { a: 'b' } }],
      artifactType: mediaTypes.ociConfig,
      subject: elsewhere,
      annotations: { a: 'b' },
      'org.example': 1,
    });
  },
  generic: (shelf) => {
    const layer = shelf.layer(mediaTypes.genericLayer, 'a');
    return read(shelf, undefined, {
      target: config(shelf, mediaTypes.dockerConfig, layer.digest),
      dependencies: [
        { ...layer, urls: ['https://example.com'], labels: { a: 1 } },
        { mediaType: 'text/plain', size: 1, digest },
      ],
      labels: { a: 'b' },
      'org.example': 1,
    });
  },
};

function read(shelf: Shelf, mediaType: string | undefined, members: object): Image {
  return shelf.read(shelf.add(mediaType ?? '', { schemaVersion: 2, mediaType, ...members })) as Image;
}

const forms: readonly Form[] = ['generic', 'schema1', 'schema2', 'oci'];
const pairs = forms.flatMap((from) => forms.map((to) => [from, to] as const));

function contextOf(shelf: Shelf) {
  const { context } = shelf;
  const facts = { compression: 'gzip', packedSize: 10, size: 100, diffId: digest } as const;
  return { ...context, ports: { ...context.ports, signingKey: () => key, layerFacts: async () => facts } };
}

describe('what an image loses is what the table says', () => {
  it.each(pairs)('from %s to %s', async (from, to) => {
    const shelf = new Shelf();
    const { losses } = await convertImage(images[from](shelf), to, contextOf(shelf));
    expect(kindsOf(losses)).toEqual([...imageConversions[to].loses[from]].sort());
  });

  it.each(forms)('from %s to registry API v1', async (from) => {
    const shelf = new Shelf();
    const { losses } = await convertToRegistryV1(images[from](shelf), contextOf(shelf));
    expect(kindsOf(losses)).toEqual([...imageConversions.v1.loses[from]].sort());
  });

  it('is told with the place, and nothing for what says nothing', async () => {
    const shelf = new Shelf();
    const layer = shelf.layer(mediaTypes.ociLayerGzip, 'a');
    const image = read(shelf, mediaTypes.ociManifest, {
      config: shelf.add(mediaTypes.ociConfig, {}),
      layers: [layer, { ...layer, annotations: { a: 'b' } }],
      annotations: {},
      subject: null,
    });
    const { losses } = await convertImage(image, 'schema2', shelf.context);
    expect(losses).toEqual([
      { kind: 'annotations', path: '$.layers[1].annotations', reason: 'has no place in this form' },
    ]);
  });

  it('is the oldest empty entries of a history that old clients cannot run', async () => {
    const shelf = new Shelf();
    const { losses } = await convertImage(images.schema2(shelf), 'schema1', contextOf(shelf));
    const paths = losses.filter(({ kind }) => kind === 'history').map(({ path }) => path);
    expect(paths).toEqual(Array.from({ length: 7 }, (_, index) => `$.config.history[${index}]`));
  });
});

/** Indexes of each dialect with everything that it, and no dialect, can say, and an entry that is none. */
const indexes: Readonly<Record<IndexForm, (shelf: Shelf) => Index>> = {
  schema2: (shelf) => {
    const entry = { ...shelf.image('a'), platform: { architecture: 'arm', os: 'linux', features: ['neon'] } };
    return readIndex(shelf, mediaTypes.dockerList, { manifests: [entry, broken(shelf)], 'org.example': 1 });
  },
  oci: (shelf) => {
    const platform = { architecture: 'arm', os: 'linux', 'org.example': 'x' };
    const entry = { ...shelf.image('a'), platform, annotations: { a: 'b' }, data: 'e30=' };
    return readIndex(shelf, mediaTypes.ociIndex, {
      manifests: [entry, broken(shelf)],
      artifactType: 'application/x',
      subject: elsewhere,
      annotations: { a: 'b' },
      'org.example': 1,
    });
  },
  generic: (shelf) => {
    const entry = { ...shelf.image('a'), labels: { os: 'linux', arch: 'arm', a: 'b' } };
    return readIndex(shelf, undefined, {
      target: shelf.add(mediaTypes.genericFatTarget, {}),
      dependencies: [entry, broken(shelf)],
      labels: { a: 'b' },
      'org.example': 1,
    });
  },
};

function readIndex(shelf: Shelf, mediaType: string | undefined, members: object): Index {
  return shelf.read(shelf.add(mediaType ?? '', { schemaVersion: 2, mediaType, ...members })) as Index;
}

function broken(shelf: Shelf) {
  return shelf.add(mediaTypes.schema1, 'no JSON');
}

const indexForms: readonly IndexForm[] = ['generic', 'schema2', 'oci'];

describe('what an index loses is what the table says', () => {
  it.each(indexForms.flatMap((from) => indexForms.map((to) => [from, to] as const)))(
    'from %s to %s',
    async (from, to) => {
      const shelf = new Shelf();
      const { losses } = await convertIndex(indexes[from](shelf), to, shelf.context);
      expect(kindsOf(losses)).toEqual([...indexConversions[to].loses[from]].sort());
    },
  );
});
