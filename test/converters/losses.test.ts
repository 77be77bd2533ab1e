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
import { MemoryRegistry } from '../support/converters/memory-registry.ts';
import { goldenBytes } from '../support/golden.ts';

const key = generateSigningKey();
const digest = digestOf(new TextEncoder().encode('elsewhere'));
const elsewhere = { mediaType: mediaTypes.ociManifest, size: 2, digest };
const kindsOf = (losses: readonly Loss[]) => [...new Set(losses.map(({ kind }) => kind))].sort();

/** A config with 131 history entries, of which only the last has a layer: seven more than old clients can run. */
function config(registry: MemoryRegistry, mediaType: string, diffId: string) {
  const empty = Array.from({ length: 130 }, () => ({ created: '2024-01-01T00:00:00Z', empty_layer: true }));
  return registry.add(mediaType, {
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [diffId] },
    history: [...empty, { created: '2024-01-01T00:00:00Z' }],
  });
}

/** An image of each dialect, with every member of the dialect and one that no dialect defines. */
const images: Readonly<Record<Form, (registry: MemoryRegistry) => Image>> = {
  schema1: () => readManifest(goldenBytes('signatures/ES256.json')) as Image,
  schema2: (registry) => {
    const layer = registry.layer(mediaTypes.dockerLayerGzip, 'a');
    return read(registry, mediaTypes.schema2, {
      config: config(registry, mediaTypes.dockerConfig, layer.digest),
      layers: [{ ...layer, urls: ['https://example.com'], annotations: { a: 'b' }, data: 'e30=' }],
      artifactType: mediaTypes.dockerConfig,
      subject: elsewhere,
      annotations: { a: 'b' },
      'org.example': 1,
    });
  },
  oci: (registry) => {
    const layer = registry.layer(mediaTypes.ociLayerGzip, 'a');
    return read(registry, mediaTypes.ociManifest, {
      config: { ...config(registry, mediaTypes.ociConfig, layer.digest), data: 'e30=' },
      layers: [{ ...layer, urls: ['https://example.com'], annotations: { a: 'b' } }],
      artifactType: mediaTypes.ociConfig,
      subject: elsewhere,
      annotations: { a: 'b' },
      'org.example': 1,
    });
  },
  generic: (registry) => {
    const layer = registry.layer(mediaTypes.genericLayer, 'a');
    return read(registry, undefined, {
      target: config(registry, mediaTypes.dockerConfig, layer.digest),
      dependencies: [
        { ...layer, urls: ['https://example.com'], labels: { a: 1 } },
        { mediaType: 'text/plain', size: 1, digest },
      ],
      labels: { a: 'b' },
      'org.example': 1,
    });
  },
};

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

function read(registry: MemoryRegistry, mediaType: string | undefined, members: object): Image {
  return registry.read(registry.add(mediaType ?? '', { schemaVersion: 2, mediaType, ...members })) as Image;
}

const forms: readonly Form[] = ['generic', 'schema1', 'schema2', 'oci'];
const pairs = forms.flatMap((from) => forms.map((to) => [from, to] as const));

function contextOf(registry: MemoryRegistry) {
  const { context } = registry;
  const facts = { compression: 'gzip', packedSize: 10, size: 100, diffId: digest } as const;
  return { ...context, ports: { ...context.ports, signingKey: () => key, layerFacts: async () => facts } };
}

describe('the losses of an image are those of the table', () => {
  it.each(pairs)('from %s to %s', async (from, to) => {
    const registry = new MemoryRegistry();
    const { losses } = await convertImage(images[from](registry), to, contextOf(registry));
    expect(kindsOf(losses)).toEqual([...imageConversions[to].loses[from]].sort());
  });

  it.each(forms)('from %s to registry API v1', async (from) => {
    const registry = new MemoryRegistry();
    const { losses } = await convertToRegistryV1(images[from](registry), contextOf(registry));
    expect(kindsOf(losses)).toEqual([...imageConversions.v1.loses[from]].sort());
  });

  it('have the path; an empty member is not a loss', async () => {
    const registry = new MemoryRegistry();
    const layer = registry.layer(mediaTypes.ociLayerGzip, 'a');
    const image = read(registry, mediaTypes.ociManifest, {
      config: registry.add(mediaTypes.ociConfig, {}),
      layers: [layer, { ...layer, annotations: { a: 'b' } }],
      annotations: {},
      artifactType: '',
      subject: null,
    });
    const { losses } = await convertImage(image, 'schema2', registry.context);
    expect(losses).toEqual([
      { kind: 'annotations', path: '$.layers[1].annotations', reason: 'has no place in this form' },
    ]);
  });

  it('have the kind of OCI for annotations in schema 2, which generic manifests keep as labels', async () => {
    const registry = new MemoryRegistry();
    const annotations = { a: 'b' };
    const stored = { schemaVersion: 2, mediaType: mediaTypes.schema2, annotations };
    const layer = { ...registry.layer(mediaTypes.dockerLayerGzip, 'a'), annotations };
    const added = config(registry, mediaTypes.dockerConfig, layer.digest);
    const image = readManifest(encode({ ...stored, config: added, layers: [layer] })) as Image;
    const generic = await convertImage(image, 'generic', contextOf(registry));
    expect(JSON.parse(new TextDecoder().decode(generic.body))).toMatchObject({
      labels: annotations,
      dependencies: [{ labels: annotations }],
    });
    expect(generic.losses).toEqual([]);
    const { losses } = await convertImage(image, 'schema1', contextOf(registry));
    expect(losses.filter(({ kind }) => kind !== 'history')).toEqual([
      { kind: 'annotations', path: '$.annotations', reason: 'has no place in this form' },
      { kind: 'annotations', path: '$.layers[0].annotations', reason: 'has no place in this form' },
    ]);
  });

  it('include the oldest empty entries of a history that is too long for old clients', async () => {
    const registry = new MemoryRegistry();
    const { losses } = await convertImage(images.schema2(registry), 'schema1', contextOf(registry));
    const paths = losses.filter(({ kind }) => kind === 'history').map(({ path }) => path);
    expect(paths).toEqual(Array.from({ length: 7 }, (_, index) => `$.config.history[${index}]`));
  });
});

/** An index of each dialect, with every member of the dialect, one that no dialect defines, and an invalid entry. */
const indexes: Readonly<Record<IndexForm, (registry: MemoryRegistry) => Index>> = {
  schema2: (registry) => {
    const entry = {
      ...registry.image('a'),
      platform: { architecture: 'arm', os: 'linux', features: ['neon'] },
      annotations: { a: 'b' },
      data: 'e30=',
    };
    return readIndex(registry, mediaTypes.dockerList, {
      manifests: [entry, broken(registry)],
      artifactType: 'application/x',
      subject: elsewhere,
      annotations: { a: 'b' },
      'org.example': 1,
    });
  },
  oci: (registry) => {
    const platform = { architecture: 'arm', os: 'linux', 'org.example': 'x' };
    const entry = { ...registry.image('a'), platform, annotations: { a: 'b' }, data: 'e30=' };
    return readIndex(registry, mediaTypes.ociIndex, {
      manifests: [entry, broken(registry)],
      artifactType: 'application/x',
      subject: elsewhere,
      annotations: { a: 'b' },
      'org.example': 1,
    });
  },
  generic: (registry) => {
    const entry = { ...registry.image('a'), labels: { os: 'linux', arch: 'arm', a: 'b' } };
    return readIndex(registry, undefined, {
      target: registry.add(mediaTypes.genericFatTarget, {}),
      dependencies: [entry, broken(registry)],
      labels: { a: 'b' },
      'org.example': 1,
    });
  },
};

function readIndex(registry: MemoryRegistry, mediaType: string | undefined, members: object): Index {
  return registry.read(registry.add(mediaType ?? '', { schemaVersion: 2, mediaType, ...members })) as Index;
}

function broken(registry: MemoryRegistry) {
  return registry.add(mediaTypes.schema1, 'no JSON');
}

const indexForms: readonly IndexForm[] = ['generic', 'schema2', 'oci'];

describe('the losses of an index are those of the table', () => {
  it.each(indexForms.flatMap((from) => indexForms.map((to) => [from, to] as const)))(
    'from %s to %s',
    async (from, to) => {
      const registry = new MemoryRegistry();
      const { losses } = await convertIndex(indexes[from](registry), to, registry.context);
      expect(kindsOf(losses)).toEqual([...indexConversions[to].loses[from]].sort());
    },
  );
});
