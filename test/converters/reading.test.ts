import { describe, expect, it } from 'vitest';
import {
  digestOf,
  type IndexEntry,
  mediaTypes,
  readManifest,
  sketchManifest,
} from '../../converters/index.ts';

const encode = (value: unknown) =>
  new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
const digest = digestOf(new TextEncoder().encode('something'));

const config = { mediaType: mediaTypes.ociConfig, size: 2, digest };
const layer = { mediaType: mediaTypes.ociLayerGzip, size: 3, digest };
const entry = { mediaType: mediaTypes.ociManifest, size: 4, digest };
const image = { schemaVersion: 2, config, layers: [layer] };
const index = { schemaVersion: 2, manifests: [entry] };
const v1 = (id: string, parent?: string) => ({
  v1Compatibility: JSON.stringify({ id: id.repeat(64), parent: parent?.repeat(64) }),
});
const schema1 = {
  schemaVersion: 1,
  name: 'n',
  tag: 't',
  architecture: 'amd64',
  fsLayers: [{ blobSum: digest }, { blobSum: digest }],
  history: [v1('a', 'b'), v1('b')],
};

describe('the media type of a body', () => {
  const { schema2, dockerList, ociManifest, ociIndex, generic, schema1Signed } = mediaTypes;

  it.each([
    ['its own mediaType', { ...image, mediaType: schema2 }, ociManifest, schema2],
    ['its own mediaType, of an index', { ...index, mediaType: dockerList }, 'application/json', dockerList],
    ['the Content-Type if the body has no mediaType', image, schema2, schema2],
    [
      'the Content-Type with parameters, in any case',
      image,
      `${schema2.toUpperCase()}; charset=utf-8`,
      schema2,
    ],
    ['the Content-Type of an index', index, dockerList, dockerList],
    ['the default OCI without a mediaType and Content-Type', image, undefined, ociManifest],
    ['the default OCI for an index without a mediaType', index, 'text/plain', ociIndex],
    ['its shape, whatever the Content-Type', schema1, schema2, mediaTypes.schema1],
    ['its shape, whatever the Content-Type, of an index', index, ociManifest, ociIndex],
    ['its shape, of a generic manifest', { schemaVersion: 2, target: config }, ociIndex, generic],
    [
      'its shape, of a generic manifest with another mediaType',
      { schemaVersion: 2, mediaType: ociIndex, target: config },
      ociIndex,
      generic,
    ],
    ['its signatures', { ...schema1, signatures: [{}] }, undefined, schema1Signed],
    ['the Content-Type if its mediaType is empty', { ...image, mediaType: '' }, schema2, schema2],
    [
      'the Content-Type if its mediaType is not a manifest type',
      { ...image, mediaType: 'application/json' },
      schema2,
      schema2,
    ],
  ])('is determined by %s', (_, body, contentType, expected) => {
    expect(sketchManifest(encode(body), contentType).mediaType).toBe(expected);
  });

  it.each([
    ['no keys', {}],
    ['other keys', { schemaVersion: 2, blobs: [] }],
    ['layers of null alone', { schemaVersion: 2, layers: null }],
  ])('is unknown for a body with %s', (_, body) => {
    expect(() => sketchManifest(encode(body))).toThrow(expect.objectContaining({ code: 'UNKNOWN_DIALECT' }));
  });

  it.each(['[]', '"text"', 'null', '1'])('is an error for %s', (body) => {
    expect(() => sketchManifest(encode(body))).toThrow(expect.objectContaining({ code: 'INVALID' }));
  });
});

describe('manifests of real registries are read', () => {
  const withConfigType = (mediaType: string) => ({
    ...{ ...image, mediaType: mediaTypes.schema2 },
    config: { ...config, mediaType },
  });

  it.each([
    [
      'a config of application/octet-stream',
      { ...image, config: { ...config, mediaType: 'application/octet-stream' } },
    ],
    ['a config of application/json in schema 2', withConfigType('application/json')],
    ['a config of text/html in schema 2', withConfigType('text/html')],
    ['a config of an empty type in schema 2', withConfigType('')],
    ['an empty artifactType', { ...image, mediaType: mediaTypes.ociManifest, artifactType: '' }],
    ['an annotation that is null', { ...image, mediaType: mediaTypes.ociManifest, annotations: { a: null } }],
    ['a config of text/plain', { ...image, config: { ...config, mediaType: 'text/plain' } }],
    [
      'a config with parameters',
      { ...image, config: { ...config, mediaType: `${mediaTypes.dockerConfig}; charset=utf-8` } },
    ],
    [
      'Docker types in OCI',
      {
        ...image,
        mediaType: mediaTypes.ociManifest,
        layers: [{ ...layer, mediaType: mediaTypes.dockerLayerGzip }],
      },
    ],
    ['OCI types in schema 2', { ...image, mediaType: mediaTypes.schema2 }],
    ['no layers, as Go writes a nil slice', { ...image, layers: null }],
    [
      'an empty index, as Go writes a nil slice',
      { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: null },
    ],
    [
      'null where a member is absent',
      { ...image, annotations: null, subject: null, manifests: null, artifactType: null },
    ],
    ['an artifactType that names the config', { ...image, artifactType: mediaTypes.ociConfig }],
    ['an entry without a platform', index],
    [
      'a platform without an architecture',
      { ...index, manifests: [{ ...entry, platform: { os: 'linux' } }] },
    ],
    ['members that nobody knows', { ...image, 'org.example': {}, config: { ...config, x: 1 } }],
    ['schema 1 without a name', { ...schema1, name: undefined, tag: undefined }],
    ['schema 1 of one id in succession', { ...schema1, history: [v1('a'), v1('a')] }],
    [
      'a v1 JSON with a Size of any kind',
      {
        ...schema1,
        history: [v1('a', 'b'), { v1Compatibility: JSON.stringify({ id: 'b'.repeat(64), Size: 'much' }) }],
      },
    ],
  ])('%s', (_, body) => {
    expect(readManifest(encode(body)).source.bytes).toEqual(encode(body));
  });
});

describe('ambiguous manifests are refused (CVE-2021-41190)', () => {
  const ambiguous: readonly [string, unknown][] = [
    ['an index with layers', { ...index, layers: [layer] }],
    ['an index with empty layers', { ...index, layers: [] }],
    ['an index with a config', { ...index, config }],
    ['an image with manifests', { ...image, manifests: [entry] }],
    ['an image with empty manifests', { ...image, manifests: [] }],
    ['an image with the mediaType of an index', { ...image, mediaType: mediaTypes.ociIndex }],
    ['an image with the mediaType of a manifest list', { ...image, mediaType: mediaTypes.dockerList }],
    ['an image with the mediaType of schema 1', { ...image, mediaType: mediaTypes.schema1 }],
    ['an index with the mediaType of an image', { ...index, mediaType: mediaTypes.ociManifest }],
    ['an index with the mediaType of schema 2', { ...index, mediaType: mediaTypes.schema2 }],
    ['a generic manifest with layers', { schemaVersion: 2, target: config, layers: [layer] }],
    ['a generic manifest with manifests', { schemaVersion: 2, target: config, manifests: [] }],
    ['a generic manifest with fsLayers', { schemaVersion: 2, target: config, fsLayers: [] }],
    ['an image with fsLayers', { ...image, fsLayers: [] }],
    ['an image with dependencies', { ...image, dependencies: [] }],
    ['schema 1 with layers', { ...schema1, layers: [] }],
    ['schema 1 with a target', { ...schema1, target: config }],
    [
      'a layer of schema 1 in another case',
      {
        ...schema1,
        fsLayers: [{ blobSum: digest, BlobSum: `sha256:${'0'.repeat(64)}` }, { blobSum: digest }],
      },
    ],
    [
      'a history entry of schema 1 in another case',
      { ...schema1, history: [{ ...v1('a', 'b'), v1compatibility: '{}' }, v1('b')] },
    ],
    [
      'an empty layer of schema 1 in another case',
      {
        ...schema1,
        history: [
          { v1Compatibility: v1('a', 'b').v1Compatibility.replace('}', ',"ThrowAway":true}') },
          v1('b'),
        ],
      },
    ],
    ['a key twice', `${JSON.stringify(image).slice(0, -1)},"layers":[]}`],
    ['a key twice in a descriptor', JSON.stringify(image).replace('"size":3', '"size":3,"size":4')],
    ['a key in another case, which Go takes for the known one', { ...index, Layers: [layer] }],
    ['only a key in another case', { schemaVersion: 2, config, layers: [], ANNOTATIONS: {} }],
    ['a key with a long s, which Go folds too', { ...image, manifeſts: [entry] }],
    ['a key with a Kelvin sign, which Go folds too', { ...image, layers: [{ ...layer, digeſt: digest }] }],
    ['a digest in another case', { ...image, layers: [{ ...layer, Digest: digest }] }],
    [
      'an architecture in another case',
      {
        ...index,
        manifests: [{ ...entry, platform: { os: 'linux', Architecture: 'arm', architecture: 'amd64' } }],
      },
    ],
  ];

  it.each(ambiguous)('%s', (_, body) => {
    expect(() => readManifest(encode(body))).toThrow(expect.objectContaining({ code: 'AMBIGUOUS' }));
  });
});

describe('invalid manifests are refused, with the path', () => {
  it.each([
    ['no schemaVersion', { config, layers: [] }, '$'],
    ['another schemaVersion', { ...image, schemaVersion: 3 }, '$.schemaVersion'],
    ['a schemaVersion in text', { ...image, schemaVersion: '2' }, '$.schemaVersion'],
    ['no config', { schemaVersion: 2, layers: [] }, '$'],
    ['a config of the wrong kind', { ...image, config: [] }, '$.config'],
    ['layers of the wrong kind', { ...image, layers: {} }, '$.layers'],
    ['a layer of the wrong kind', { ...image, layers: [layer, 'x'] }, '$.layers[1]'],
    ['a layer without a digest', { ...image, layers: [{ ...layer, digest: undefined }] }, '$.layers[0]'],
    [
      'a digest in capitals',
      { ...image, layers: [{ ...layer, digest: digest.toUpperCase() }] },
      '$.layers[0].digest',
    ],
    [
      'a digest that is too short',
      { ...image, config: { ...config, digest: digest.slice(0, -1) } },
      '$.config.digest',
    ],
    ['a negative size', { ...image, config: { ...config, size: -1 } }, '$.config.size'],
    ['a fractional size', { ...image, config: { ...config, size: 1.5 } }, '$.config.size'],
    [
      'a size beyond what is exact',
      JSON.stringify(image).replace('"size":3', '"size":9007199254740993'),
      '$.layers[0].size',
    ],
    ['annotations that are no text', { ...image, annotations: { a: 1 } }, '$.annotations["a"]'],
    ['urls of the wrong kind', { ...image, layers: [{ ...layer, urls: 'x' }] }, '$.layers[0].urls'],
    [
      'os.features of the wrong kind',
      { ...index, manifests: [{ ...entry, platform: { os: 'a', architecture: 'b', 'os.features': [1] } }] },
      '$.manifests[0].platform.os.features[0]',
    ],
    ['a blobSum that is none', { ...schema1, fsLayers: [{ blobSum: 'x' }, {}] }, '$.fsLayers[0].blobSum'],
    ['fewer fsLayers than history', { ...schema1, fsLayers: [{ blobSum: digest }] }, '$.history'],
    ['no history at all', { ...schema1, fsLayers: [], history: [] }, '$.history'],
    [
      'an id that is none',
      {
        ...schema1,
        history: [
          { v1Compatibility: JSON.stringify({ id: 'a'.repeat(64), parent: 'x' }) },
          { v1Compatibility: '{"id":"x"}' },
        ],
      },
      '$.history[1].v1Compatibility',
    ],
    [
      'a missing id',
      { ...schema1, history: [v1('a', 'b'), { v1Compatibility: '{}' }] },
      '$.history[1].v1Compatibility',
    ],
    [
      'a parent that is not below',
      { ...schema1, history: [v1('a', 'c'), v1('b')] },
      '$.history[0].v1Compatibility',
    ],
    [
      'a base with a parent',
      { ...schema1, history: [v1('a', 'b'), v1('b', 'c')] },
      '$.history[1].v1Compatibility',
    ],
    [
      'an id again, further down',
      {
        ...schema1,
        fsLayers: [1, 2, 3].map(() => ({ blobSum: digest })),
        history: [v1('a', 'b'), v1('b', 'a'), v1('a')],
      },
      '$.history[2].v1Compatibility',
    ],
    [
      'v1Compatibility that is no text',
      { ...schema1, history: [v1('a', 'b'), { v1Compatibility: {} }] },
      '$.history[1].v1Compatibility',
    ],
  ])('%s', (_, body, path) => {
    expect(() => readManifest(encode(body))).toThrow(expect.objectContaining({ code: 'INVALID', path }));
  });

  it('a Windows base may have a parent, which represents the system', () => {
    const top = {
      v1Compatibility: JSON.stringify({ id: 'a'.repeat(64), parent: 'b'.repeat(64), os: 'windows' }),
    };
    const windows = { ...schema1, history: [top, v1('b', 'c')] };
    expect(readManifest(encode(windows)).kind).toBe('image');
  });
});

describe('manifests that are not images are refused', () => {
  it.each([
    [
      'a chart',
      { ...image, config: { ...config, mediaType: 'application/vnd.cncf.helm.config.v1+json' } },
      '$.config',
    ],
    [
      'the empty config of OCI 1.1',
      { ...image, config: { ...config, mediaType: 'application/vnd.oci.empty.v1+json' } },
      '$.config',
    ],
    ['an artifactType', { ...image, artifactType: 'application/vnd.example' }, '$.artifactType'],
    [
      'a layer of another type',
      { ...image, layers: [layer, { ...layer, mediaType: 'application/vnd.in-toto+json' }] },
      '$.layers[1]',
    ],
    [
      'a generic target of another type',
      { schemaVersion: 2, target: { ...config, mediaType: 'text/plain' } },
      '$.target.mediaType',
    ],
  ])('%s', (_, body, path) => {
    expect(() => readManifest(encode(body))).toThrow(expect.objectContaining({ code: 'NOT_AN_IMAGE', path }));
  });
});

describe('manifests beyond the limits are refused', () => {
  const many = <T>(item: T) => Array.from({ length: 1001 }, () => item);

  it.each([
    ['a manifest above 4 MiB', `${JSON.stringify(image)}${' '.repeat(4 * 1024 * 1024)}`],
    ['layers', { ...image, layers: many(layer) }],
    ['entries', { ...index, manifests: many(entry) }],
    ['dependencies', { schemaVersion: 2, target: config, dependencies: many(layer) }],
    ['fsLayers', { ...schema1, fsLayers: many({ blobSum: digest }) }],
    ['history', { ...schema1, history: many(v1('a')) }],
  ])('%s', (_, body) => {
    expect(() => readManifest(encode(body))).toThrow(expect.objectContaining({ code: 'LIMIT' }));
  });
});

it('the subject of an image and of an index is known', () => {
  for (const document of [image, index]) {
    expect(readManifest(encode({ ...document, subject: entry })).subject).toMatchObject({ digest, size: 4 });
    expect(readManifest(encode(document)).subject).toBeUndefined();
  }
});

describe('the platform of an entry', () => {
  const read = (document: object) => readManifest(encode(document)).dependencies[0] as IndexEntry;
  const ofIndex = (platform: object) => read({ ...index, manifests: [{ ...entry, platform }] }).platform;
  const fat = { schemaVersion: 2, target: { ...config, mediaType: mediaTypes.genericFatTarget } };
  const ofLabels = (labels: object) => read({ ...fat, dependencies: [{ ...entry, labels }] }).platform;

  it('is known if it has both an operating system and an architecture', () => {
    expect(ofIndex({ os: 'linux', architecture: 'arm' })).toMatchObject({ os: 'linux', architecture: 'arm' });
    for (const arch of ['arch', 'architecture'])
      expect(ofLabels({ os: 'linux', [arch]: 'arm' })).toMatchObject({ os: 'linux', architecture: 'arm' });
  });

  it.each([
    {},
    { os: 'linux' },
    { architecture: 'arm' },
    { os: '', architecture: 'arm' },
    { os: 'linux', architecture: '' },
  ])('is unknown with %j', (partial) => {
    expect(ofIndex(partial)).toBeUndefined();
    expect(ofLabels(partial)).toBeUndefined();
  });
});
