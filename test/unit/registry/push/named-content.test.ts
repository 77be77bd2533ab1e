import { describe, expect, it } from 'vitest';
import { mediaTypes } from '../../../../converters/media-types.ts';
import { contentNamedBy, mayName } from '../../../../src/registry/push/named-content.ts';

const wanted = `sha256:${'a'.repeat(64)}`;
const other = `sha256:${'b'.repeat(64)}`;
const isWanted = (digest: string) => digest === wanted;
const bytesOf = (text: string) => new TextEncoder().encode(text);

describe('the content that a manifest names', () => {
  const blob = (digest: string) => ({ mediaType: mediaTypes.ociLayerGzip, size: 1, digest });
  const [a, b, c] = ['1', '2', '3'].map((digit) => `sha256:${digit.repeat(64)}`) as [string, string, string];
  const v1 = (id: string, parent?: string) => ({ v1Compatibility: JSON.stringify({ id, parent }) });
  const schema1 = {
    ...{ schemaVersion: 1, name: 'n', tag: 't', architecture: 'amd64' },
    fsLayers: [{ blobSum: b }, { blobSum: a }],
    history: [v1('d'.repeat(64), 'e'.repeat(64)), v1('e'.repeat(64))],
  };
  const config = { ...blob(c), mediaType: mediaTypes.ociConfig };
  const image = { schemaVersion: 2, config, layers: [blob(a), blob(b), blob(a)] };
  const entry = { ...blob(a), mediaType: mediaTypes.ociManifest };

  it.each<[string, object, { blobs: string[]; manifests: string[] }]>([
    ['an image: its config, and each layer once', image, { blobs: [c, a, b], manifests: [] }],
    ['schema 1: its layers', schema1, { blobs: [a, b], manifests: [] }],
    ['an index: its manifests', { schemaVersion: 2, manifests: [entry] }, { blobs: [], manifests: [a] }],
    ['another document: nothing', { schemaVersion: 9 }, { blobs: [], manifests: [] }],
  ])('%s', (_, document, named) => {
    expect(contentNamedBy(bytesOf(JSON.stringify(document)), mediaTypes.ociManifest)).toEqual(named);
  });
});

describe('mayName', () => {
  it.each<[why: string, text: string, named: boolean]>([
    ['a wanted digest', `{"digest":"${other}","layers":[{"digest":"${wanted}"}]}`, true],
    ['other digests', `{"digest":"${other}"}`, false],
    ['a longer word that begins like a wanted digest', `{"digest":"${wanted}a"}`, false],
    ['a digest that is written with an escape', `{"digest":"\\u0073${wanted.slice(1)}"}`, true],
    ['no JSON', 'digest', false],
    ['no byte', '', false],
  ])('%s', (_, text, named) => {
    expect(mayName(bytesOf(text), isWanted)).toBe(named);
  });

  it('passes over bytes that are no text', () => {
    expect(mayName(Uint8Array.of(0xff, 0xfe, ...bytesOf(`"${wanted}"`)), isWanted)).toBe(true);
  });
});
