import { describe, expect, it } from 'vitest';
import { mediaTypes } from '../../../../converters/media-types.ts';
import { readKept, readPushed } from '../../../../src/registry/push/pushed-manifest.ts';
import { treeOfSample, treeOfShape } from '../../../support/push-tree.ts';

const { schema1, schema1Signed, schema2, dockerList, ociManifest, ociIndex, generic, json } = mediaTypes;

type Members = Readonly<Record<string, unknown>>;

async function sample(name: string): Promise<Members> {
  const { manifests } = await treeOfSample(name);
  return JSON.parse(new TextDecoder().decode(manifests.at(-1)?.bytes)) as Members;
}

const without = (members: Members, key: string) =>
  Object.fromEntries(Object.entries(members).filter(([each]) => each !== key));

const bytesOf = (document: unknown) => new TextEncoder().encode(JSON.stringify(document));

const image = without(await sample('sample/oci'), 'mediaType');
const index = without(await sample('sample/index'), 'mediaType');
const docker = await sample('sample/schema2');
const list = await sample('sample/list');
const draft = await sample('sample/generic');
const signed = (await treeOfSample('sample/schema1')).manifests.at(-1)?.bytes ?? new Uint8Array();
const old = without(JSON.parse(new TextDecoder().decode(signed)) as Members, 'signatures');

describe('a manifest that is what its Content-Type says is read', () => {
  it.each<[string, string | null, unknown]>([
    ['an OCI manifest', ociManifest, { ...image, mediaType: ociManifest }],
    ['an OCI manifest that states no type', ociManifest, image],
    ['an OCI index', ociIndex, { ...index, mediaType: ociIndex }],
    ['an OCI index that states no type', ociIndex, index],
    ['schema 2', schema2, docker],
    ['a list', dockerList, list],
    ['a generic manifest', generic, draft],
    ['schema 1 without a Content-Type', null, old],
    ['schema 1 as JSON', json, old],
    ['unsigned schema 1', schema1, old],
    ['an upper-case type', ociManifest.toUpperCase(), image],
    ['a parameter', `${ociManifest}; charset=utf-8`, image],
    ['a parameter without spaces', `${ociManifest};charset=utf-8;q=1`, image],
    ['a semicolon and a space at the end', `${ociManifest}; `, image],
    ['a parameter among spaces', `${ociManifest} ;  charset  =  utf-8  `, image],
    ['a quoted parameter and a semicolon at the end', `${schema2} ; charset="utf-8" ;`, docker],
  ])('%s', (_, contentType, document) => {
    expect(readPushed(bytesOf(document), contentType)).toBeDefined();
  });

  it.each(['; charset', ';!'])('a Content-Type of 32,000 spaces and %s is read at once', (end) => {
    const started = performance.now();
    readPushed(bytesOf(image), `${ociManifest}${' '.repeat(32_000)}${end}`);
    readPushed(bytesOf(image), `${ociManifest};q=1${' '.repeat(32_000)}${end}`);
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it.each([null, json, schema1, schema1Signed])('signed schema 1 under %s', (contentType) => {
    expect(readPushed(signed, contentType)?.mediaType).toBe(schema1Signed);
  });

  it('an artifact', () => {
    const [chart] = treeOfShape('a chart').manifests;
    expect(readPushed(chart?.bytes ?? new Uint8Array(), ociManifest)?.kind).toBe('artifact');
  });
});

describe('a manifest that is not what its Content-Type says is left to the registry', () => {
  it.each<[string, string | null, unknown]>([
    ['an OCI manifest without a Content-Type', null, { ...image, mediaType: ociManifest }],
    ['an OCI manifest as JSON', json, { ...image, mediaType: ociManifest }],
    ['an OCI manifest as schema 2', schema2, { ...image, mediaType: ociManifest }],
    ['an OCI manifest as an index', ociIndex, { ...image, mediaType: ociManifest }],
    ['an index as a manifest', ociManifest, { ...index, mediaType: ociIndex }],
    ['an index that states no type, as a manifest', ociManifest, index],
    ['an index as a list', dockerList, { ...index, mediaType: ociIndex }],
    ['schema 2 as OCI', ociManifest, docker],
    ['schema 2 that states no type', schema2, without(docker, 'mediaType')],
    ['a list that states no type', dockerList, without(list, 'mediaType')],
    ['a stated type that is none of a manifest', ociManifest, { ...image, mediaType: json }],
    ['a stated type in upper case', ociManifest, { ...image, mediaType: ociManifest.toUpperCase() }],
    ['a stated type that is no text', ociManifest, { ...image, mediaType: 7 }],
    ['schema 1 as schema 2', schema2, old],
    ['schema 1 that states schema 2', schema1, { ...old, mediaType: schema2 }],
    ['unsigned schema 1 as signed', schema1Signed, old],
    ['no config', ociManifest, without(image, 'config')],
    ['no layers', ociManifest, without(image, 'layers')],
    ['another schemaVersion', ociManifest, { ...image, schemaVersion: 3 }],
    ['no schemaVersion', ociManifest, without(image, 'schemaVersion')],
    ['two shapes', ociManifest, { ...image, manifests: [] }],
    ['two types', `${ociManifest}, ${ociManifest}`, image],
    ['a broken parameter', `${ociManifest}; charset`, image],
    ['a list of manifests', ociManifest, [image]],
    ['an array', ociManifest, []],
    ['a text', ociManifest, 'manifest'],
  ])('%s', (_, contentType, document) => {
    expect(readPushed(bytesOf(document), contentType)).toBeUndefined();
  });

  it.each(['', '{', 'hello', '\u0000'])('a body that is no JSON: %j', (text) => {
    expect(readPushed(new TextEncoder().encode(text), ociManifest)).toBeUndefined();
  });
});

describe('a manifest that a push kept', () => {
  it('is read without a Content-Type, and another blob is not', () => {
    expect(readKept(bytesOf(image))?.mediaType).toBe(ociManifest);
    expect(readKept(bytesOf({ words: 1 }))).toBeUndefined();
    expect(readKept(new Uint8Array([1, 2, 3]))).toBeUndefined();
  });
});
