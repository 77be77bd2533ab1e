import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import * as converters from '../../../converters/index.ts';

const folder = join(import.meta.dirname, '../../../converters');

/** The values that users import from `regshift/converters`. A removed or renamed one breaks their programs. */
const values = [
  'ConversionError',
  'chooseImage',
  'convert',
  'convertImage',
  'convertIndex',
  'convertToRegistryV1',
  'convertersVersion',
  'digestOf',
  'emptyLayer',
  'formatPlatform',
  'generateSigningKey',
  'isDigest',
  'layerTypeOf',
  'libtrustKeyId',
  'mediaTypes',
  'parseDigest',
  'parsePlatform',
  'readImageConfig',
  'readManifest',
  'readSigningKey',
  'signSchema1',
  'sketchManifest',
  'v1ImageJson',
  'verifyDigest',
  'verifySchema1',
];

/** The types that `index.ts` exports by name. */
const types = [
  'Bytes',
  'Compression',
  'ConversionCode',
  'ConversionContext',
  'ConversionPorts',
  'ConversionProblem',
  'Converted',
  'ConvertedV1',
  'DerivedBlob',
  'Dialect',
  'Digest',
  'Form',
  'GzipLayer',
  'HistoryEntry',
  'ImageConfig',
  'IndexForm',
  'Label',
  'Labels',
  'LayerFacts',
  'Platform',
  'SigningKey',
  'Sketch',
  'V1Image',
];

/** The types of `model.ts`, all of which `index.ts` exports. */
const modelTypes = [
  'ConfigTarget',
  'Descriptor',
  'Image',
  'Index',
  'IndexEntry',
  'JsonWebSignature',
  'Layer',
  'Loss',
  'LossKind',
  'Model',
  'PublicKey',
  'Source',
  'V1Entry',
  'V1Target',
];

/** The members of the public types that users write in their own programs or read from results. */
const members: readonly (readonly [file: string, type: string, names: readonly string[]])[] = [
  [
    'conversion.ts',
    'ConversionContext',
    [
      'ports',
      'name',
      'tag',
      'unpackZstd',
      'probeLayers',
      'layersOf',
      'flattenIndexes',
      'preferGzip',
      'dropAttestations',
    ],
  ],
  [
    'conversion.ts',
    'Converted',
    [
      ...['kind', 'form', 'mediaType', 'digest', 'body', 'source', 'sourceType'],
      ...['platformSpecific', 'losses', 'children'],
      'blobs',
    ],
  ],
  [
    'ports.ts',
    'ConversionPorts',
    ['fetchManifest', 'fetchBlob', 'sniffLayer', 'layerFacts', 'gzipLayer', 'signingKey', 'turn'],
  ],
  ['ports.ts', 'LayerFacts', ['compression', 'packedSize', 'size', 'diffId']],
  ['steps/step.ts', 'DerivedBlob', ['kind', 'digest', 'bytes', 'kind', 'digest', 'packed', 'size']],
  ['images/convert-to-v1.ts', 'ConvertedV1', ['images', 'losses', 'blobs']],
  ['errors.ts', 'ConversionProblem', ['code', 'message', 'dialect', 'path', 'found', 'expected']],
  ['formats/schema1/v1-chain.ts', 'V1Image', ['id', 'parent', 'blob', 'empty', 'json']],
  ['crypto/signing-key.ts', 'SigningKey', ['privateKey', 'publicJwk', 'crv', 'kty', 'x', 'y', 'id']],
  ['platform.ts', 'Platform', ['os', 'architecture', 'variant', 'osVersion', 'osFeatures']],
  ['model.ts', 'Loss', ['kind', 'path', 'reason', 'name']],
  ['model.ts', 'Descriptor', ['mediaType', 'digest', 'size', 'urls', 'labels', 'field']],
  ['model.ts', 'Layer', ['compression', 'foreign', 'encrypted']],
  ['model.ts', 'IndexEntry', ['platform', 'artifactType', 'attestation']],
  ['model.ts', 'Source', ['dialect', 'mediaType', 'bytes', 'digest', 'document']],
  ['model.ts', 'Image', ['kind', 'source', 'target', 'dependencies', 'attachments', 'labels', 'subject']],
  ['model.ts', 'Index', ['kind', 'source', 'platformTable', 'dependencies', 'unusable', 'labels', 'subject']],
  ['read.ts', 'Sketch', ['mediaType', 'document', 'bytes']],
];

describe('the public names of regshift/converters', () => {
  test('are these values', () => {
    expect(Object.keys(converters).toSorted()).toEqual(values.toSorted());
  });

  test('are these types', () => {
    expect(exportedTypes(read('index.ts')).toSorted()).toEqual(types.toSorted());
    expect(read('index.ts')).toContain("export type * from './model.ts';");
    expect(declaredTypes(read('model.ts')).toSorted()).toEqual(modelTypes.toSorted());
  });

  test.each(members)('%s: the members of %s', (file, type, names) => {
    expect(membersOf(read(file), type)).toEqual(names);
  });
});

function read(file: string): string {
  return readFileSync(join(folder, file), 'utf8');
}

/** Names after `export type {`, and those that a mixed export marks with `type`. */
function exportedTypes(source: string): string[] {
  return [...source.matchAll(/^export (type )?\{([^}]*)\}/gm)].flatMap(([, all, list = '']) =>
    list
      .split(',')
      .map((name) => name.trim())
      .filter((name) => all || name.startsWith('type '))
      .map((name) => name.replace(/^type /, '')),
  );
}

function declaredTypes(source: string): string[] {
  return [...source.matchAll(/^export (?:interface|type) (\w+)/gm)].map(([, name = '']) => name);
}

/** The `readonly` members of a type in their order, including those of object types inside. */
function membersOf(source: string, type: string): string[] {
  const [, text = ''] =
    new RegExp(`^export (?:interface|type) ${type}\\b([\\s\\S]*?)\\n(?:\\}|\\n)`, 'm').exec(source) ?? [];
  const bare = text.replace(/\/\*\*[\s\S]*?\*\//g, '');
  const names = [...bare.matchAll(/(?:^ {2}|[{;] )readonly (\w+)\??:/gm)];
  return names.map(([, name = '']) => name);
}
